//! Generates the code that the tests of this crate use.

fn main() -> Result<(), tonic_cloud_run_build::Error> {
    tonic_cloud_run_build::configure()
        .build_server(true)
        .compile_protos(&["../protos/bookstore/v1/bookstore.proto"], &["../protos"])
}
