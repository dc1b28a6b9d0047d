//! Generates code by hand: `generate NODES.jsonl FOLDER [import|arm|bicep]`, nodes as JSON lines.

use std::io::BufRead as _;
use std::path::Path;

use atg_iac::{Format, ImportBlocks, Input, Options, generate};
use atg_models::graph::{BasedOn, Node, Verdict};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(nodes), Some(folder)) = (args.next(), args.next()) else {
        return Err("usage: generate NODES.jsonl FOLDER [import|arm|bicep]".into());
    };
    let lines = std::io::BufReader::new(std::fs::File::open(nodes)?).lines();
    let mut nodes: Vec<Node> = Vec::new();
    for line in lines {
        nodes.push(serde_json::from_str(&line?)?);
    }
    let tenant_id = nodes.first().ok_or("no nodes")?.tenant_id;
    let based_on = BasedOn {
        tenant_id,
        graph_digest: "0".repeat(64),
        verdict: Verdict::Complete,
        gaps: Vec::new(),
        not_planned: Vec::new(),
    };
    let mut options = Options::default();
    match args.next().as_deref() {
        Some("arm") => options.format = Format::Arm,
        Some("bicep") => options.format = Format::Bicep,
        Some("import") => options.import_blocks = ImportBlocks::AllResources,
        Some(other) => return Err(format!("unknown: {other}").into()),
        None => {}
    }
    let output = generate(Input { nodes, based_on }, &options, &|| false)?;
    let folder = Path::new(&folder);
    for file in &output.files {
        let path = folder.join(&file.path);
        if let Some(above) = path.parent() {
            std::fs::create_dir_all(above)?;
        }
        std::fs::write(path, &file.bytes)?;
    }
    Ok(())
}
