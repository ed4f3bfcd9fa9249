//! Compiles what stands between the benchmark and Intel's multi-buffer library, whose interface is macros over a table of functions.

fn main() {
    println!("cargo:rerun-if-changed=src/areas/crypto/peers/ipsec_mb.c");
    #[cfg(feature = "ipsec-mb")]
    {
        cc::Build::new().file("src/areas/crypto/peers/ipsec_mb.c").opt_level(2).compile("ipsec_mb_calls");
        println!("cargo:rustc-link-lib=IPSec_MB");
    }
}
