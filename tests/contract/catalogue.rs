//! The elements of the contract, each with its comment, from the descriptor set.

use std::collections::HashMap;

use prost::Message;
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FileDescriptorProto, FileDescriptorSet,
    ServiceDescriptorProto,
};
use user_import::proto::DESCRIPTOR_SET;

/// Numbers of the fields that hold elements. The path of a comment consists of such numbers and indices.
pub const MESSAGES: i32 = 4;
pub const ENUMS: i32 = 5;
pub const SERVICES: i32 = 6;
/// The numbers for fields of a message, methods of a service, and values of an enum.
pub const MEMBERS: i32 = 2;

/// One file of the contract.
pub struct ContractFile {
    descriptor: FileDescriptorProto,
    comments: HashMap<Vec<i32>, String>,
}

/// A named element of a file, and the path of its comment.
pub struct ContractElement<'a, T> {
    pub file: &'a ContractFile,
    pub path: Vec<i32>,
    pub descriptor: &'a T,
}

impl ContractFile {
    fn new(descriptor: FileDescriptorProto) -> Self {
        let info = descriptor.source_code_info.iter();
        let comments = info
            .flat_map(|info| &info.location)
            .filter(|location| location.leading_comments.is_some())
            .map(|location| {
                let comment = location.leading_comments().replace("\n ", "\n");
                (location.path.clone(), comment.trim().to_owned())
            })
            .collect();
        Self {
            descriptor,
            comments,
        }
    }

    fn elements<'a, T>(&'a self, kind: i32, all: &'a [T]) -> Vec<ContractElement<'a, T>> {
        (0..)
            .zip(all)
            .map(|(index, descriptor)| ContractElement {
                file: self,
                path: vec![kind, index],
                descriptor,
            })
            .collect()
    }
}

impl<T> ContractElement<'_, T> {
    /// The element's own comment.
    pub fn comment(&self) -> &str {
        self.comment_at(&[])
    }

    /// Returns the comment of the member with this index.
    pub fn member_comment(&self, index: usize) -> &str {
        self.comment_at(&[MEMBERS, i32::try_from(index).unwrap()])
    }

    fn comment_at(&self, below: &[i32]) -> &str {
        let path = [&self.path, below].concat();
        self.file.comments.get(&path).map_or("", String::as_str)
    }
}

/// All files of the contract, without the files of other projects.
pub fn files() -> Vec<ContractFile> {
    let set = FileDescriptorSet::decode(DESCRIPTOR_SET).unwrap();
    set.file
        .into_iter()
        .filter(|file| file.package() == "userimport.v1")
        .map(ContractFile::new)
        .collect()
}

pub fn services(files: &[ContractFile]) -> Vec<ContractElement<'_, ServiceDescriptorProto>> {
    let all = files
        .iter()
        .flat_map(|file| file.elements(SERVICES, &file.descriptor.service));
    by_name(all.collect(), |service| service.descriptor.name())
}

pub fn messages(files: &[ContractFile]) -> Vec<ContractElement<'_, DescriptorProto>> {
    let all = files
        .iter()
        .flat_map(|file| file.elements(MESSAGES, &file.descriptor.message_type));
    by_name(all.collect(), |message| message.descriptor.name())
}

pub fn enums(files: &[ContractFile]) -> Vec<ContractElement<'_, EnumDescriptorProto>> {
    let all = files
        .iter()
        .flat_map(|file| file.elements(ENUMS, &file.descriptor.enum_type));
    by_name(all.collect(), |kind| kind.descriptor.name())
}

fn by_name<'a, T>(
    mut elements: Vec<ContractElement<'a, T>>,
    name: impl Fn(&ContractElement<'a, T>) -> &'a str,
) -> Vec<ContractElement<'a, T>> {
    elements.sort_by_key(|element| name(element));
    elements
}
