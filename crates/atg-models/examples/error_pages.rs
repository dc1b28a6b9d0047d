//! Prints the pages of the error codes as JSON: a list of path and text.

#[expect(clippy::print_stdout, reason = "the repository's automation reads it")]
fn main() -> Result<(), serde_json::Error> {
    println!("{}", serde_json::to_string(&atg_models::error_code::error_pages())?);
    Ok(())
}
