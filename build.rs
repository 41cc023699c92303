//! Compiles `proto/` to Rust and to its JSON mapping, with no outside compiler, and the cockpit's page where Node.js is
//! there; into `OUT_DIR` only.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use protox::prost::Message;

const FILES: [&str; 9] = ["sensor", "signal", "plan", "index", "corridor", "operator", "lockstep", "log", "engine"];

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
    let fields = descriptors.file.iter().flat_map(|file| &file.message_type).flat_map(|message| &message.field);
    let mut names: Vec<&str> = fields.flat_map(|field| [field.name(), field.json_name()]).collect();
    names.sort_unstable();
    names.dedup();
    let code = format!("const FIELD_NAMES: &[&str] = &{names:?};\n");
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("field_names.rs"), code)?;
    page(Path::new("src/shell/http/page"), &PathBuf::from(env::var("OUT_DIR")?))?;
    Ok(())
}

/// Builds the page in a copy of its sources. Without Node.js the folder stays empty, and the page says what to do.
fn page(from: &Path, out: &Path) -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed={}", from.display());
    println!("cargo:rerun-if-env-changed=GREENWAVE_NO_PAGE");
    let (work, built) = (out.join("page-work"), out.join("page"));
    // What an earlier build left must not pass for this one's page.
    for old in [&built, &work.join("src")] {
        if old.exists() {
            fs::remove_dir_all(old)?;
        }
    }
    fs::create_dir_all(&built)?;
    copy(from, &work)?;
    if env::var_os("GREENWAVE_NO_PAGE").is_some() {
        return Ok(());
    }
    let npm = |args: &[&str]| Command::new("npm").args(args).current_dir(&work).output();
    let lock = fs::read(work.join("package-lock.json"))?;
    let installed = work.join("node_modules/.greenwave-lock");
    if fs::read(&installed).ok().as_ref() != Some(&lock) {
        match npm(&["ci", "--no-audit", "--no-fund", "--ignore-scripts"]) {
            Ok(done) if done.status.success() => fs::write(&installed, &lock)?,
            Ok(done) => {
                let said = String::from_utf8_lossy(&done.stderr);
                println!("cargo:warning=the cockpit's page is left out: npm ci: {}", said.lines().last().unwrap_or(""));
                return Ok(());
            }
            Err(_) => {
                println!(
                    "cargo:warning=the cockpit's page is left out: there is no npm; install Node.js 20.19 or later"
                );
                return Ok(());
            }
        }
    }
    let done = npm(&["run", "build"])?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
        let first = said.lines().find(|l| l.to_lowercase().contains("error")).unwrap_or("vite build failed");
        println!("cargo:warning=the cockpit's page is left out: it needs Node.js 20.19 or later: {first}");
        return Ok(());
    }
    fs::remove_dir_all(&built)?;
    fs::rename(work.join("dist"), &built)?;
    Ok(())
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (name, path) = (entry.file_name(), entry.path());
        if name == "node_modules" || name == "dist" {
            continue;
        }
        if path.is_dir() { copy(&path, &to.join(name))? } else { fs::copy(&path, to.join(name)).map(drop)? }
    }
    Ok(())
}
