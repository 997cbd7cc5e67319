//! Renders the API reference, `docs/api.md`, from the contract's comments.

use std::fmt::Write;

use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, MessageOptions,
    MethodDescriptorProto, ServiceDescriptorProto,
    field_descriptor_proto::{Label, Type},
};

use crate::catalogue::{ContractElement, ContractFile, enums, messages, services};

const HEAD: &str = "\
# API reference

Made from the comments in [`proto/userimport/v1`](../proto/userimport/v1); correct it there, then run
`USER_IMPORT_WRITE_REFERENCE=1 cargo test --test contract`.

Every field is optional on the wire. An `optional` field that is unset differs from a blank or zero one. Any other
field has its type's zero value if it is not set. A failed call has a status; its `google.rpc` details are named
beside its code.
";

/// Returns the whole page.
pub fn render(files: &[ContractFile]) -> String {
    let mut page = HEAD.to_owned();
    for service in services(files) {
        write_service(&mut page, &service);
    }
    page.push_str("\n## Messages\n");
    for message in messages(files) {
        write_message(&mut page, &message);
    }
    page.push_str("\n## Enums\n");
    for kind in enums(files) {
        write_enum(&mut page, &kind);
    }
    page
}

fn write_service(page: &mut String, service: &ContractElement<ServiceDescriptorProto>) {
    let name = service.descriptor.name();
    writeln!(page, "\n## {name}\n\n{}", service.comment()).unwrap();
    for (index, method) in service.descriptor.method.iter().enumerate() {
        writeln!(page, "\n### {}\n\n{}", method.name(), signature(method)).unwrap();
        let comment = service.member_comment(index);
        let (text, errors) = comment.split_once("Errors:\n").unwrap_or((comment, ""));
        writeln!(page, "\n{}", text.trim_end()).unwrap();
        write_errors(page, errors);
    }
}

fn signature(method: &MethodDescriptorProto) -> String {
    let stream = |streaming| if streaming { "stream of " } else { "" };
    format!(
        "{}{} → {}{}",
        stream(method.client_streaming()),
        link(method.input_type()),
        stream(method.server_streaming()),
        link(method.output_type()),
    )
}

/// Renders lines such as `  NOT_FOUND  no such user; ResourceInfo.`. Their following lines are indented further.
fn write_errors(page: &mut String, errors: &str) {
    let mut rows: Vec<(&str, String)> = Vec::new();
    for line in errors.lines() {
        let line = line.trim();
        match (line.split_once("  "), rows.last_mut()) {
            (Some((code, text)), _) => rows.push((code, text.trim().to_owned())),
            (None, Some((_, text))) => *text = format!("{text} {line}"),
            (None, None) => panic!("no code in {line:?}"),
        }
    }
    if !rows.is_empty() {
        page.push_str("\n| error | when, and its details |\n|---|---|\n");
    }
    for (code, text) in rows {
        writeln!(page, "| `{code}` | {} |", cell(&text)).unwrap();
    }
}

fn write_message(page: &mut String, message: &ContractElement<DescriptorProto>) {
    let name = message.descriptor.name();
    writeln!(page, "\n### {name}\n\n{}", message.comment()).unwrap();
    if !message.descriptor.field.is_empty() {
        page.push_str("\n| no. | field | type | meaning |\n|---|---|---|---|\n");
    }
    for (index, field) in message.descriptor.field.iter().enumerate() {
        writeln!(
            page,
            "| {} | `{}` | {} | {} |",
            field.number(),
            field.name(),
            kind(field, message.descriptor),
            cell(message.member_comment(index)),
        )
        .unwrap();
    }
}

fn kind(field: &FieldDescriptorProto, message: &DescriptorProto) -> String {
    let name = match field.r#type() {
        Type::Message | Type::Enum => link(field.type_name()),
        scalar => scalar.as_str_name().replace("TYPE_", "").to_lowercase(),
    };
    if field.proto3_optional() {
        return format!("optional {name}");
    }
    if let Some(entry) = map_entry(field, message) {
        let [key, value] = [0, 1].map(|index| kind(&entry.field[index], entry));
        return format!("map of {key} to {value}");
    }
    match field.oneof_index {
        Some(index) => {
            let oneof = &message.oneof_decl[usize::try_from(index).unwrap()];
            format!("{name}, in oneof `{}`", oneof.name())
        }
        None if field.label() == Label::Repeated => format!("repeated {name}"),
        None => name,
    }
}

/// Returns the message that the entries of a map are on the wire, or `None` if the field is no map.
fn map_entry<'a>(
    field: &FieldDescriptorProto,
    message: &'a DescriptorProto,
) -> Option<&'a DescriptorProto> {
    let name = field.type_name().rsplit('.').next()?;
    let mut entries = message.nested_type.iter();
    entries.find(|nested| {
        nested.name() == name
            && nested
                .options
                .as_ref()
                .is_some_and(MessageOptions::map_entry)
    })
}

fn write_enum(page: &mut String, kind: &ContractElement<EnumDescriptorProto>) {
    let name = kind.descriptor.name();
    writeln!(page, "\n### {name}\n\n{}", kind.comment()).unwrap();
    page.push_str("\n| no. | value | meaning |\n|---|---|---|\n");
    for (index, value) in kind.descriptor.value.iter().enumerate() {
        let comment = cell(kind.member_comment(index));
        writeln!(
            page,
            "| {} | `{}` | {comment} |",
            value.number(),
            value.name()
        )
        .unwrap();
    }
}

/// Returns the full name of a type, with a link to its heading if the contract defines it.
fn link(full: &str) -> String {
    let full = full.trim_start_matches('.');
    match full.strip_prefix("userimport.v1.") {
        Some(name) => format!("[{name}](#{})", name.to_lowercase()),
        None => format!("`{full}`"),
    }
}

fn cell(text: &str) -> String {
    text.replace('\n', " ").replace('|', "\\|")
}
