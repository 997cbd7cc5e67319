//! The words of a command as a shell would read them. Knows only the syntax that the pages use.

/// Returns the commands of this program in a text.
pub fn commands(text: &str) -> Vec<Vec<String>> {
    let text = text.replace("\\\n", " ");
    let lines = text.split(['\n', '|', ';']).map(str::trim);
    let commands = lines.filter(|line| line.starts_with("user-import "));
    commands.map(words).collect()
}

/// Returns the words up to a comment or a redirection. A quoted text is one word.
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
