//! Descriptor sets that are none, or not whole.

use crate::Attempt;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
    FileDescriptorSet, MessageOptions, MethodDescriptorProto, ServiceDescriptorProto,
};
use tonic_cloud_run_build::Error;

pub(crate) const ATTEMPTS: &[(&str, Attempt)] = &[
    ("set_garbage", |folder| {
        folder.builder().compile_fds_bytes(*b"\xffgarbage")
    }),
    ("set_empty", |folder| folder.builder().compile_fds_bytes([])),
    ("set_no_such_file", |folder| {
        folder.builder().compile_fds_file("reject/none.binpb")
    }),
    ("set_is_a_proto", |folder| {
        folder
            .builder()
            .compile_fds_file("reject/fine/library.proto")
    }),
    ("set_skip_protoc_run", |folder| {
        folder
            .builder()
            .skip_protoc_run()
            .file_descriptor_set_path("reject/fine/library.proto")
            .compile_protos(&["whatever.proto"], &["."])
    }),
    ("set_without_imports", |folder| {
        folder.builder().compile_fds(set(FileDescriptorProto {
            dependency: vec![
                "b.proto".to_owned(),
                "google/protobuf/empty.proto".to_owned(),
            ],
            ..file()
        }))
    }),
    ("set_of_editions", |folder| {
        folder.builder().compile_fds(set(FileDescriptorProto {
            syntax: Some("editions".to_owned()),
            ..file()
        }))
    }),
    ("set_with_unknown_types", |folder| {
        folder.builder().compile_fds(set(FileDescriptorProto {
            service: vec![ServiceDescriptorProto {
                name: Some("Library".to_owned()),
                method: vec![MethodDescriptorProto {
                    name: Some("Get".to_owned()),
                    input_type: Some(".reject.Nothing".to_owned()),
                    output_type: Some("Nowhere".to_owned()),
                    ..MethodDescriptorProto::default()
                }],
                ..ServiceDescriptorProto::default()
            }],
            ..file()
        }))
    }),
    ("set_without_names", |folder| {
        folder.builder().compile_fds(set(FileDescriptorProto {
            message_type: vec![DescriptorProto::default()],
            enum_type: vec![EnumDescriptorProto::default()],
            service: vec![ServiceDescriptorProto {
                method: vec![MethodDescriptorProto::default()],
                ..ServiceDescriptorProto::default()
            }],
            ..file()
        }))
    }),
    ("set_with_wrong_oneof", |folder| {
        folder.builder().compile_fds(set_of(FieldDescriptorProto {
            oneof_index: Some(7),
            ..field()
        }))
    }),
    ("set_with_wrong_map", |folder| {
        let mut set = set_of(FieldDescriptorProto {
            label: Some(Label::Repeated.into()),
            r#type: Some(Type::Message.into()),
            type_name: Some(".reject.Book.Entry".to_owned()),
            ..field()
        });
        set.file[0].message_type[0].nested_type = vec![DescriptorProto {
            name: Some("Entry".to_owned()),
            options: Some(MessageOptions {
                map_entry: Some(true),
                ..MessageOptions::default()
            }),
            ..DescriptorProto::default()
        }];
        folder.builder().compile_fds(set)
    }),
    ("set_with_odd_names", |folder| {
        let mut set = set_of(FieldDescriptorProto {
            name: Some("not a name".to_owned()),
            ..field()
        });
        set.file[0].service = vec![ServiceDescriptorProto {
            name: Some("not-a-name; fn evil() {}".to_owned()),
            ..ServiceDescriptorProto::default()
        }];
        folder.builder().compile_fds(set)
    }),
    ("set_without_types", |folder| {
        folder.builder().compile_fds(set_of(FieldDescriptorProto {
            r#type: None,
            ..field()
        }))
    }),
    ("set_without_file_names", |folder| {
        folder.builder().compile_fds(set(FileDescriptorProto {
            name: None,
            ..file()
        }))
    }),
];

#[test]
fn every_cut_off_set_is_an_error_or_code_but_no_panic() -> Result<(), Error> {
    let folder = crate::Folder::new();
    let path = folder.path().join("set.binpb");
    folder
        .builder()
        .file_descriptor_set_path(&path)
        .compile_protos(&["names/protos/proto2.proto"], &["names/protos"])?;
    let whole = std::fs::read(&path).unwrap();
    let mut refused = 0;
    for length in (0..whole.len()).step_by(7) {
        refused += usize::from(
            folder
                .builder()
                .compile_fds_bytes(&whole[..length])
                .is_err(),
        );
    }
    assert!(refused > 10, "only {refused} cut off sets were refused");
    Ok(())
}

fn set(file: FileDescriptorProto) -> FileDescriptorSet {
    FileDescriptorSet { file: vec![file] }
}

fn set_of(field: FieldDescriptorProto) -> FileDescriptorSet {
    set(FileDescriptorProto {
        message_type: vec![DescriptorProto {
            name: Some("Book".to_owned()),
            field: vec![field],
            ..DescriptorProto::default()
        }],
        ..file()
    })
}

fn field() -> FieldDescriptorProto {
    FieldDescriptorProto {
        name: Some("title".to_owned()),
        number: Some(1),
        label: Some(Label::Optional.into()),
        r#type: Some(Type::String.into()),
        ..FieldDescriptorProto::default()
    }
}

fn file() -> FileDescriptorProto {
    FileDescriptorProto {
        name: Some("a.proto".to_owned()),
        package: Some("reject".to_owned()),
        syntax: Some("proto3".to_owned()),
        ..FileDescriptorProto::default()
    }
}
