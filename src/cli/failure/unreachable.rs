//! What to do about a server that cannot be reached, by the error of the network or of the TLS library.

use crate::client::ServerAddress;

/// Texts of the network or the TLS library about a server that cannot be reached, in lower case, each with what to do
/// then; the first text that is found counts.
const ADVICE: [(&[&str], &str); 9] = [
    (
        &["not trusted here"],
        "Give the authority of the server's certificate with --ca-cert FILE.",
    ),
    (
        &["for another name", "for no name"],
        "In --endpoint, use a name that the certificate has.",
    ),
    (&["expired"], "Tell the operator of the server."),
    (
        &["not valid yet"],
        "Check the clock of this machine, or tell the operator of the server.",
    ),
    (
        &["asks for a client certificate"],
        "Give yours with --client-cert and --client-key.",
    ),
    (
        &["does not accept the client certificate"],
        "Check --client-cert and --client-key, or ask the operator of the server.",
    ),
    (
        &["its certificate"],
        "Tell the operator of the server: it needs a certificate that an authority has issued for it.",
    ),
    (
        &["lookup address"],
        "There is no machine of that name. Check --endpoint, or the profile.",
    ),
    (
        &["timed out", "deadline", "timeout", "unreachable"],
        "Check --endpoint, or the profile, and whether a firewall lets you through.",
    ),
];

/// Returns a sentence that says what to do about a server that cannot be reached.
pub(super) fn unreachable(address: &ServerAddress, reason: &str) -> String {
    let reason = reason.to_lowercase();
    if address.is_tls() && reason.contains("does not speak tls") {
        let plain = address.to_string().replacen("https://", "http://", 1);
        return format!("That server seems to have no TLS. If it should have none, use {plain}.");
    }
    let is_said = |(words, _): &&(&[&str], &str)| words.iter().any(|word| reason.contains(word));
    let known = ADVICE.iter().find(is_said).map(|(_, advice)| *advice);
    let start = "Start a server with `user-import serve`, or give its address with --endpoint.";
    known.unwrap_or(start).to_owned()
}
