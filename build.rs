//! Compiles the public contract (`proto/`) in Rust, so that the machine needs no protoc. Compresses the files of the
//! console from `console/dist`, whose build is committed, so that the machine needs no Node.

#![allow(
    clippy::disallowed_methods,
    reason = "what is generated is nobody's secret"
)]

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use brotli::{CompressorWriter, enc::BrotliEncoderParams};
use flate2::{Compression, write::GzEncoder};

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

    // Maps are kept in order, because those of audit events are hashed.
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
    compile_health(&out)?;
    embed_console(&out)
}

/// Compiles gRPC's own health protocol. It has a descriptor set of its own, so that the other set has our contract
/// only.
fn compile_health(out: &Path) -> Result<(), Box<dyn Error>> {
    let descriptors = protox::compile(["grpc/health/v1/health.proto"], ["proto"])?;
    fs::write(out.join("health.binpb"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        .codec_path("crate::proto::codec::BoundedCodec")
        .btree_map(".")
        .compile_fds(descriptors)?;
    Ok(())
}

/// The folder with the console's build.
const CONSOLE: &str = "console/dist";

/// Writes the list of the console's files, which `server/console/files.rs` includes, and the compressed files beside
/// it. The same files always give the same bytes.
fn embed_console(out: &Path) -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={CONSOLE}");
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join(CONSOLE);
    let mut paths = Vec::new();
    collect_files(&root, &mut paths)?;
    paths.sort();
    let mut list = String::from("&[\n");
    for (number, path) in paths.iter().enumerate() {
        let content = fs::read(path)?;
        let name = text(path.strip_prefix(&root)?)?.replace('\\', "/");
        let plain = text(path)?;
        write!(
            list,
            "EmbeddedFile {{ path: {name:?}, plain: include_bytes!({plain:?})"
        )?;
        for (field, compressed) in [("brotli", brotli(&content)?), ("gzip", gzip(&content)?)] {
            if compressed.len() >= content.len() {
                write!(list, ", {field}: None")?;
                continue;
            }
            let file = out.join(format!("console-{number}.{field}"));
            fs::write(&file, compressed)?;
            write!(list, ", {field}: Some(include_bytes!({:?}))", text(&file)?)?;
        }
        list += " },\n";
    }
    list += "]\n";
    fs::write(out.join("console_files.rs"), list)?;
    Ok(())
}

fn text(path: &Path) -> Result<&str, Box<dyn Error>> {
    Ok(path.to_str().ok_or("a path is no text")?)
}

fn collect_files(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => collect_files(&entry.path(), files)?,
            false => files.push(entry.path()),
        }
    }
    Ok(())
}

/// Compresses a content as far as possible, because it is compressed once and sent often.
fn brotli(content: &[u8]) -> io::Result<Vec<u8>> {
    let best = BrotliEncoderParams {
        quality: 11,
        lgwin: 22,
        size_hint: content.len(),
        ..BrotliEncoderParams::default()
    };
    let mut writer = CompressorWriter::with_params(Vec::new(), 4_096, &best);
    writer.write_all(content)?;
    Ok(writer.into_inner())
}

/// Compresses a content for browsers that reach the server without TLS, which accept no Brotli.
fn gzip(content: &[u8]) -> io::Result<Vec<u8>> {
    let mut writer = GzEncoder::new(Vec::new(), Compression::best());
    writer.write_all(content)?;
    writer.finish()
}
