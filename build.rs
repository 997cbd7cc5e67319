//! Compiles the public contract (`proto/`) in pure Rust: no protoc on the machine.

#![allow(
    clippy::disallowed_methods,
    reason = "what is generated is nobody's secret"
)]

use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
};

use prost::Message;

const SERVICES: [&str; 3] = [
    "userimport/v1/import_service.proto",
    "userimport/v1/directory_service.proto",
    "userimport/v1/audit_service.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let descriptors = protox::compile(SERVICES, ["proto"])?;
    let encoded = descriptors.encode_to_vec();
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("userimport.binpb"), &encoded)?;

    // Maps are kept in order: those of audit events are hashed.
    tonic_prost_build::configure()
        .codec_path("crate::proto::codec::BoundedCodec")
        .bytes(".userimport.v1.ImportUsersRequest.csv_chunk")
        .bytes(".userimport.v1.ImportUsersRequest.workbook_chunk")
        .bytes(".userimport.v1.AppendImportRequest.csv_chunk")
        .bytes(".userimport.v1.AppendImportRequest.workbook_chunk")
        .btree_map(".")
        .compile_well_known_types(true)
        .extern_path(".google.protobuf.Timestamp", "crate::proto::Timestamp")
        .extern_path(".userimport.v1.RowResults", "crate::proto::RowResults")
        .compile_fds(descriptors)?;
    pbjson_build::Builder::new()
        .register_descriptors(&encoded)?
        .btree_map(["."])
        .exclude([".userimport.v1.RowResults"])
        .build(&[".userimport.v1"])?;
    compile_health(&out)
}

/// gRPC's own health protocol: a set of its own, so that the contract is ours alone.
fn compile_health(out: &Path) -> Result<(), Box<dyn Error>> {
    let descriptors = protox::compile(["grpc/health/v1/health.proto"], ["proto"])?;
    fs::write(out.join("health.binpb"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        .codec_path("crate::proto::codec::BoundedCodec")
        .btree_map(".")
        .compile_fds(descriptors)?;
    Ok(())
}
