#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ipsec_testkit::fuzz::isakmp_message(data));
