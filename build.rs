//! Compiles `proto/` to Rust and to its JSON mapping, with no outside compiler; into `OUT_DIR` only.

use std::path::{Path, PathBuf};

use protox::prost::Message;

const FILES: [&str; 8] = ["sensor", "signal", "plan", "index", "corridor", "operator", "lockstep", "log"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto/greenwave");
    let files: Vec<PathBuf> =
        FILES.iter().map(|f| Path::new("proto/greenwave/v1").join(f).with_extension("proto")).collect();
    let descriptors = protox::compile(&files, ["proto"])?;
    prost_build::Config::new().compile_fds(descriptors.clone())?;
    pbjson_build::Builder::new()
        .register_descriptors(&descriptors.encode_to_vec())?
        .preserve_proto_field_names()
        .ignore_unknown_fields()
        .build(&[".greenwave.v1"])?;
    Ok(())
}
