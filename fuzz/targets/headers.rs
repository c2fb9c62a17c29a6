#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| nats::fuzzing::headers::run(data));
