//! Generates code by hand: `generate NODES.jsonl FOLDER [import]`, nodes as JSON lines.

use std::io::BufRead as _;
use std::path::Path;

use atg_iac::{ImportBlocks, Input, Options, generate};
use atg_models::graph::{BasedOn, Node, Verdict};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(nodes), Some(folder)) = (args.next(), args.next()) else {
        return Err("usage: generate NODES.jsonl FOLDER [import]".into());
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
    let options = Options {
        import_blocks: if args.next().is_some() {
            ImportBlocks::AllResources
        } else {
            ImportBlocks::None
        },
        ..Options::default()
    };
    let output = generate(Input { nodes, based_on }, &options, &|| false)?;
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder)?;
    for file in &output.files {
        std::fs::write(folder.join(&file.path), &file.bytes)?;
    }
    Ok(())
}
