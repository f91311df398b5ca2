//! Options that cannot be.

use crate::Attempt;
use tonic_cloud_run_build::{Builder, Error};

pub(crate) const ATTEMPTS: &[(&str, Attempt)] = &[
    ("attributes", |folder| {
        fine(
            folder
                .builder()
                .type_attribute(".", "derive(Eq)")
                .message_attribute("Book", "#[derive(")
                .enum_attribute(".", "")
                .field_attribute("Book.title", "#[ok] struct")
                .client_mod_attribute(".", "#![inner]")
                .client_attribute("Library", "words")
                .server_attribute("Library", "# [")
                .server_mod_attribute("Library", "pub")
                .trait_attribute("Library", "#[a] #b"),
        )
    }),
    ("paths", |folder| {
        fine(
            folder
                .builder()
                .proto_path("not a path")
                .extern_path("reject.Book", "::books::Book")
                .extern_path(".", "::books")
                .extern_path(".reject..Book", "::books::Book")
                .extern_path(".reject.Book", "books::")
                .extern_path(".reject.Page", "::books::Page")
                .extern_path(".reject.Page", "::pages::Page"),
        )
    }),
    ("extern_path_of_the_well_known", |folder| {
        fine(
            folder
                .builder()
                .extern_path(".google.protobuf", "::well_known"),
        )
    }),
    ("skip_protoc_run_without_a_set", |folder| {
        fine(folder.builder().skip_protoc_run())
    }),
    ("protoc_arg_without_protoc", |folder| {
        fine(folder.builder().protoc_arg("--fatal_warnings"))
    }),
    ("no_such_protoc", |folder| {
        fine(folder.builder().protoc("no/such/protoc"))
    }),
];

fn fine(builder: Builder) -> Result<(), Error> {
    builder.compile_protos(&["reject/fine/library.proto"], &["reject/fine"])
}
