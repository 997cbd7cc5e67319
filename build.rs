//! Compiles the public contract (`proto/`) in pure Rust: no protoc on the machine.

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message;

const SERVICES: [&str; 2] = [
    "userimport/v1/import_service.proto",
    "userimport/v1/directory_service.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let descriptors = protox::compile(SERVICES, ["proto"])?;
    let encoded = descriptors.encode_to_vec();
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("userimport.binpb"), &encoded)?;

    tonic_prost_build::configure()
        .codec_path("crate::proto::codec::BoundedCodec")
        .bytes(".userimport.v1.ImportUsersRequest.csv_chunk")
        .compile_well_known_types(true)
        .extern_path(".google.protobuf", "::pbjson_types")
        .compile_fds(descriptors)?;
    pbjson_build::Builder::new()
        .register_descriptors(&encoded)?
        .build(&[".userimport.v1"])?;
    Ok(())
}
