//! Generates the suite's messages and its client from the protos in the Go module cache; `run` says where that is.

use std::path::Path;

/// The folder of the suite's protos.
const PROTOS: &str = "CONFORMANCE_PROTOS";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-env-changed={PROTOS}");
    let protos = std::env::var(PROTOS).map_err(|error| {
        format!(
            "{PROTOS}, the folder of the suite's protos: {error}; tests/conformance/run sets it"
        )
    })?;
    let package = Path::new(&protos).join("connectrpc/conformance/v1");
    let files =
        ["config.proto", "service.proto", "client_compat.proto"].map(|file| package.join(file));
    tonic_cloud_run_build::compile_protos(&files, &[&protos])?;
    Ok(())
}
