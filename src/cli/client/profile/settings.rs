//! The settings of one profile.

use std::path::PathBuf;

use toml::de::DeTable;

use super::{
    file_location,
    source::{ProfileFault, ProfileSource, SettingEntry, known_names},
};
use crate::{
    access::looks_like_token, client::ServerAddress, domain::OrganizationSlug, store::has_password,
};

/// The keys of a profile.
pub(super) const KEYS: [&str; 7] = [
    "endpoint",
    "organization",
    "token_file",
    "token_env",
    "ca_cert",
    "client_cert",
    "client_key",
];

/// The server, the credentials and the organisation.
#[derive(Debug, Default)]
pub(crate) struct ConnectionProfile {
    /// Its name, once it is chosen.
    pub name: Option<String>,
    /// Address of the server.
    pub endpoint: Option<ServerAddress>,
    /// Slug of the organisation.
    pub organization: Option<String>,
    /// Location of the token; never the token itself, as this file is easily copied and shared.
    pub token: Option<TokenLocation>,
    /// PEM file with the authorities that sign the server's certificate.
    pub ca_cert: Option<PathBuf>,
    /// PEM files with a client certificate and its key.
    pub certificate: Option<(PathBuf, PathBuf)>,
}

/// The location of a profile's token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TokenLocation {
    /// In a file.
    File(PathBuf),
    /// In the environment, under this name.
    Variable(String),
}

const NO_TOKENS_HERE: &str = "a token does not belong here, as this file is easily copied and shared. \
    Put it into a file that only you can read and give that as token_file, or into a variable of the \
    environment and give its name as token_env.";

impl ConnectionProfile {
    /// Reads the settings of a profile.
    ///
    /// # Errors
    /// Returns the first fault.
    pub(crate) fn parse(
        source: &ProfileSource<'_>,
        settings: &DeTable<'_>,
    ) -> Result<Self, ProfileFault> {
        let mut entries: Vec<SettingEntry<'_, '_>> = settings.iter().collect();
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

    fn take(
        &mut self,
        source: &ProfileSource<'_>,
        entry: SettingEntry<'_, '_>,
    ) -> Result<(), ProfileFault> {
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

    fn take_token(
        &mut self,
        source: &ProfileSource<'_>,
        entry: SettingEntry<'_, '_>,
    ) -> Result<(), ProfileFault> {
        if looks_like_token(&text(source, entry)?) {
            return Err(source.fault(entry.1.span(), NO_TOKENS_HERE));
        }
        let place = match entry.0.get_ref().as_ref() {
            "token_env" => TokenLocation::Variable(text(source, entry)?),
            _ => TokenLocation::File(path(source, entry)?),
        };
        if self.token.replace(place).is_some() {
            let text = "give token_file or token_env, not both.";
            return Err(source.fault(entry.0.span(), text));
        }
        Ok(())
    }
}

fn find<'a, 'b>(entries: &[SettingEntry<'a, 'b>], key: &str) -> Option<SettingEntry<'a, 'b>> {
    let mut entries = entries.iter();
    entries.find(|(name, _)| name.get_ref() == key).copied()
}

fn unknown(key: &str) -> String {
    format!(
        "unknown key \"{key}\"{}",
        known_names(key, KEYS.into_iter())
    )
}

fn text(
    source: &ProfileSource<'_>,
    (key, value): SettingEntry<'_, '_>,
) -> Result<String, ProfileFault> {
    source.text_of(key.get_ref(), value)
}

fn path(source: &ProfileSource<'_>, entry: SettingEntry<'_, '_>) -> Result<PathBuf, ProfileFault> {
    let named = text(source, entry)?;
    Ok(file_location::resolve(
        &named,
        source.path,
        file_location::home(),
    ))
}

fn endpoint(
    source: &ProfileSource<'_>,
    entry: SettingEntry<'_, '_>,
) -> Result<ServerAddress, ProfileFault> {
    let text = text(source, entry)?;
    let shown = if has_password(&text) { "…" } else { &text };
    let fault = |why| source.fault(entry.1.span(), format!("endpoint \"{shown}\": {why}."));
    text.parse().map_err(fault)
}

fn organization(
    source: &ProfileSource<'_>,
    entry: SettingEntry<'_, '_>,
) -> Result<String, ProfileFault> {
    let slug = text(source, entry)?;
    match OrganizationSlug::parse(&slug) {
        Ok(_) => Ok(slug),
        Err(why) => Err(source.fault(entry.1.span(), format!("organization \"{slug}\" {why}."))),
    }
}
