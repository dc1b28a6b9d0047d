//! From blocks to files: one when it is small, else an index and files of bounded size.

use std::fmt::Write as _;

use atg_iac::OutputFile;

use crate::limits::SPEC_FILE_MAX_BYTES;

/// A resource with the headings that begin with it. Never torn apart.
pub(super) struct Block(pub(super) String);

/// What belongs into files of its own: a subscription.
pub(super) struct Chapter {
    /// Its title, and the name of its file.
    pub(super) label: String,
    pub(super) blocks: Vec<Block>,
}

const INDEX: &str = "tenant-spec.md";
const CONTENT_TYPE: &str = "text/markdown; charset=utf-8";

/// Whether so many bytes fit into one file.
pub(super) fn fits(bytes: usize) -> bool {
    bytes <= SPEC_FILE_MAX_BYTES
}

/// The files of a document: its head, and its chapters in order.
pub(super) fn files(head: String, chapters: Vec<Chapter>) -> Vec<OutputFile> {
    let all = chapters.iter().flat_map(|chapter| &chapter.blocks);
    let bytes: usize = all.map(|Block(text)| text.len()).sum();
    if fits(head.len() + bytes) {
        let mut text = head;
        for Block(block) in chapters.into_iter().flat_map(|chapter| chapter.blocks) {
            text.push_str(&block);
        }
        return vec![file(INDEX.to_owned(), text)];
    }
    let mut index = head;
    index.push_str("## Files\n\nThe resources are in files of their own, one or more for each subscription.\n\n");
    let mut files = Vec::new();
    for chapter in chapters {
        for (path, text) in parts(chapter) {
            let title = path.strip_suffix(".md").unwrap_or(&path);
            let _ = writeln!(index, "- [{title}]({path})");
            files.push(file(path, text));
        }
    }
    files.insert(0, file(INDEX.to_owned(), index));
    files
}

/// A chapter's files: `LABEL.md`, `LABEL-2.md` and so on.
fn parts(chapter: Chapter) -> Vec<(String, String)> {
    let mut parts: Vec<(String, String)> = Vec::new();
    for Block(block) in chapter.blocks {
        match parts.last_mut() {
            Some((_, text)) if fits(text.len() + block.len()) => text.push_str(&block),
            Some(_) | None => {
                let number = parts.len() + 1;
                let (path, title) = if number == 1 {
                    (format!("{}.md", chapter.label), chapter.label.clone())
                } else {
                    let title = format!("{}, part {number}", chapter.label);
                    (format!("{}-{number}.md", chapter.label), title)
                };
                parts.push((path, format!("# {title}\n\nBack to the [index]({INDEX}).\n\n{block}")));
            }
        }
    }
    parts
}

fn file(path: String, text: String) -> OutputFile {
    OutputFile {
        path,
        bytes: text.into_bytes(),
        content_type: CONTENT_TYPE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chapter(label: &str, sizes: &[usize]) -> Chapter {
        Chapter {
            label: label.to_owned(),
            blocks: sizes.iter().map(|size| Block("x".repeat(*size))).collect(),
        }
    }

    #[test]
    fn a_small_document_is_one_file_and_a_large_one_is_split_between_resources() {
        let one = files("head".to_owned(), vec![chapter("a", &[10, 10]), chapter("b", &[5])]);
        assert_eq!(one.len(), 1);
        assert_eq!(one[0].bytes.len(), "head".len() + 25);

        let half = SPEC_FILE_MAX_BYTES / 2 + 1;
        let many = files(
            "head".to_owned(),
            vec![chapter("a", &[half, half, 10]), chapter("b", &[5])],
        );
        let paths: Vec<_> = many.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["tenant-spec.md", "a.md", "a-2.md", "b.md"]);
        let index = String::from_utf8(many[0].bytes.clone()).unwrap();
        assert!(
            index.ends_with("- [a](a.md)\n- [a-2](a-2.md)\n- [b](b.md)\n"),
            "{index}"
        );
        let blocks = |file: &OutputFile| String::from_utf8(file.bytes.clone()).unwrap().matches('x').count();
        // One more in the word `index` of each way back.
        let shown: usize = many[1..].iter().map(|file| blocks(file) - 1).sum();
        assert_eq!(shown, half * 2 + 15);
    }
}
