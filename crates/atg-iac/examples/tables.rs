//! Makes the embedded tables: `tables DATA_FOLDER OUT_FOLDER`.

use std::io::Read as _;
use std::path::Path;

use atg_iac::tables::make;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(data), Some(out)) = (args.next(), args.next()) else {
        return Err("usage: tables DATA_FOLDER OUT_FOLDER".into());
    };
    let (data, out) = (Path::new(&data), Path::new(&out));
    let schema = std::fs::read(data.join("azurerm-schema-5.x-real.json.gz"))?;
    let map = std::fs::read(data.join("arm-to-azurerm-map.json.gz"))?;
    let types = std::fs::read(data.join("arm-types.jsonl.gz"))?;
    let four = std::fs::read(data.join("azurerm-schema-4.55.0-real.json.gz"))?;
    // Has the types that the other one lacks.
    let more_of_four = std::fs::read(data.join("azurerm-schema-4.55.0-from-cdktf.json.gz"))?;
    write(
        &out.join("azurerm-4.gz"),
        &make::azurerm(&[&four, &more_of_four], &map)?,
    )?;
    write(&out.join("azurerm-5.gz"), &make::azurerm(&[&schema], &map)?)?;
    write(&out.join("arm-types.gz"), &make::arm_types(&types)?)?;
    write(&out.join("vocabulary.gz"), &make::vocabulary(&types)?)?;
    write(&out.join("arm-bodies.gz"), &make::arm_bodies(&types)?)?;
    Ok(())
}

/// Leaves a file alone that holds the same content: another version of the compressor would give other bytes.
fn write(path: &Path, new: &[u8]) -> std::io::Result<()> {
    let same = std::fs::read(path)
        .is_ok_and(|old| matches!((unpacked(&old), unpacked(new)), (Ok(old), Ok(new)) if old == new));
    if same { Ok(()) } else { std::fs::write(path, new) }
}

fn unpacked(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut content = Vec::new();
    flate2::read::GzDecoder::new(bytes).read_to_end(&mut content)?;
    Ok(content)
}
