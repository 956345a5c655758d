//! The data files as JSON: that is read several times as fast as TOML, and they are read whenever the program starts.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=data");
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo names no OUT_DIR")?);
    convert(Path::new("data"), &out.join("data"))
}

/// Writes a file of JSON for each file of TOML below a folder.
fn convert(from: &Path, to: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let to = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            convert(&path, &to)?;
        } else if path.extension().is_some_and(|e| e == "toml") {
            let data: toml::Value = toml::from_str(&fs::read_to_string(&path)?)
                .map_err(|e| format!("{}: {e}", path.display()))?;
            fs::write(to.with_extension("toml.json"), serde_json::to_vec(&data)?)?;
        }
    }
    Ok(())
}
