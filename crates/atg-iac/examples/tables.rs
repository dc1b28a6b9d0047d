//! Makes the embedded tables: `tables DATA_FOLDER OUT_FOLDER`.

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
    std::fs::write(out.join("azurerm-5.gz"), make::azurerm(&schema, &map)?)?;
    std::fs::write(out.join("arm-types.gz"), make::arm_types(&types)?)?;
    Ok(())
}
