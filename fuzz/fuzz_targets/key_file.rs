#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ipsec_testkit::fuzz::key_file(data));
