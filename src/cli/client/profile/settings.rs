//! What one profile says.

use std::path::PathBuf;

use toml::de::DeTable;

use super::{
    document::{Entry, Fault, Source},
    known, place,
};
use crate::{access::looks_like_token, client::Address, domain::Slug, store::has_password};

/// The keys of a profile.
pub const KEYS: [&str; 7] = [
    "endpoint",
    "organization",
    "token_file",
    "token_env",
    "ca_cert",
    "client_cert",
    "client_key",
];

/// Which server, as whom, for which organisation.
#[derive(Debug, Default)]
pub struct Profile {
    /// Address of the server.
    pub endpoint: Option<Address>,
    /// Slug of the organisation.
    pub organization: Option<String>,
    /// Where the token is; never the token itself, as this file is easily copied and shared.
    pub token: Option<TokenPlace>,
    /// PEM file with the authorities that vouch for the server.
    pub ca_cert: Option<PathBuf>,
    /// PEM files with a client certificate and its key.
    pub certificate: Option<(PathBuf, PathBuf)>,
}

/// Where a profile's token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenPlace {
    /// In a file.
    File(PathBuf),
    /// In the environment, under this name.
    Variable(String),
}

const NO_TOKENS_HERE: &str = "a token does not belong here, as this file is easily copied and shared. \
    Put it into a file that only you can read and give that as token_file, or into a variable of the \
    environment and give its name as token_env.";

impl Profile {
    /// Reads the settings of a profile.
    ///
    /// # Errors
    /// The first fault of it.
    pub fn parse(source: &Source<'_>, settings: &DeTable<'_>) -> Result<Self, Fault> {
        let mut entries: Vec<Entry<'_, '_>> = settings.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        let mut profile = Self::default();
        for &entry in &entries {
            profile.take(source, entry)?;
        }
        let cert = find(&entries, "client_cert");
        let key = find(&entries, "client_key");
        profile.certificate = match (cert, key) {
            (Some(cert), Some(key)) => Some((path(source, cert)?, path(source, key)?)),
            (None, None) => None,
            (Some((half, _)), _) | (_, Some((half, _))) => {
                let text = "client_cert and client_key go together; give both or neither.";
                return Err(source.fault(half.span(), text));
            }
        };
        Ok(profile)
    }

    fn take(&mut self, source: &Source<'_>, entry: Entry<'_, '_>) -> Result<(), Fault> {
        match entry.0.get_ref().as_ref() {
            "endpoint" => self.endpoint = Some(endpoint(source, entry)?),
            "organization" => self.organization = Some(organization(source, entry)?),
            "ca_cert" => self.ca_cert = Some(path(source, entry)?),
            "token_file" | "token_env" => self.take_token(source, entry)?,
            "client_cert" | "client_key" => {}
            "token" => return Err(source.fault(entry.0.span(), NO_TOKENS_HERE)),
            other => return Err(source.fault(entry.0.span(), unknown(other))),
        }
        Ok(())
    }

    fn take_token(&mut self, source: &Source<'_>, entry: Entry<'_, '_>) -> Result<(), Fault> {
        if looks_like_token(&text(source, entry)?) {
            return Err(source.fault(entry.1.span(), NO_TOKENS_HERE));
        }
        let place = match entry.0.get_ref().as_ref() {
            "token_env" => TokenPlace::Variable(text(source, entry)?),
            _ => TokenPlace::File(path(source, entry)?),
        };
        if self.token.replace(place).is_some() {
            let text = "give token_file or token_env, not both.";
            return Err(source.fault(entry.0.span(), text));
        }
        Ok(())
    }
}

fn find<'a, 'b>(entries: &[Entry<'a, 'b>], key: &str) -> Option<Entry<'a, 'b>> {
    let mut entries = entries.iter();
    entries.find(|(name, _)| name.get_ref() == key).copied()
}

fn unknown(key: &str) -> String {
    format!("unknown key \"{key}\"{}", known(key, KEYS.into_iter()))
}

fn text(source: &Source<'_>, (key, value): Entry<'_, '_>) -> Result<String, Fault> {
    source.text_of(key.get_ref(), value)
}

fn path(source: &Source<'_>, entry: Entry<'_, '_>) -> Result<PathBuf, Fault> {
    let named = text(source, entry)?;
    Ok(place::resolve(&named, source.path, place::home()))
}

fn endpoint(source: &Source<'_>, entry: Entry<'_, '_>) -> Result<Address, Fault> {
    let text = text(source, entry)?;
    let shown = if has_password(&text) { "…" } else { &text };
    let fault = |why| source.fault(entry.1.span(), format!("endpoint \"{shown}\": {why}."));
    text.parse().map_err(fault)
}

fn organization(source: &Source<'_>, entry: Entry<'_, '_>) -> Result<String, Fault> {
    let slug = text(source, entry)?;
    match Slug::parse(&slug) {
        Ok(_) => Ok(slug),
        Err(why) => Err(source.fault(entry.1.span(), format!("organization \"{slug}\" {why}."))),
    }
}
