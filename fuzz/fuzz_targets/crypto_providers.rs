#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ipsec_testkit::fuzz::crypto_providers(data));
