//! Tells the program which profile it was built with, so that it can build itself again with the same.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-env=XTASK_PROFILE={}", std::env::var("PROFILE").unwrap_or_default());
}
