//! The words of commands as a shell reads them, as far as pages need it.

/// The commands of this program in a text.
pub fn commands(text: &str) -> Vec<Vec<String>> {
    let text = text.replace("\\\n", " ");
    let lines = text.split(['\n', '|', ';']).map(str::trim);
    let commands = lines.filter(|line| line.starts_with("user-import "));
    commands.map(words).collect()
}

/// Words up to a comment or a redirection; what is quoted is one word.
fn words(command: &str) -> Vec<String> {
    let command = command.split(" #").next().unwrap_or_default();
    let command = command.split(" > ").next().unwrap_or_default();
    let pieces = command.split('"').enumerate();
    let words = pieces.flat_map(|(index, piece)| match index % 2 {
        0 => piece.split_whitespace().map(str::to_owned).collect(),
        _ => vec![piece.to_owned()],
    });
    words.collect()
}
