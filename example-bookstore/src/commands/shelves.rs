//! `shelves list`, `get`, `create`, `delete`.

use std::io::Write;

use super::{Connection, write_next_page};
use crate::{
    bookstore::{
        CreateShelfRequest, DeleteShelfRequest, GetShelfRequest, ListShelvesRequest,
        ListShelvesResponse, Shelf,
    },
    cli::{PageArgs, Shelves},
    failure::Failure,
    output::{Table, time},
};

pub(crate) async fn run(connection: &Connection, command: Shelves) -> Result<(), Failure> {
    let client = &connection.client;
    let mut out = std::io::stdout();
    match command {
        Shelves::List(page) => list(connection, page, &mut out).await?,
        Shelves::Get { shelf } => {
            let request = GetShelfRequest {
                name: shelf.to_string(),
            };
            write(
                [client
                    .get_shelf(connection.request(request))
                    .await?
                    .into_inner()],
                &mut out,
            )?;
        }
        Shelves::Create { id, theme } => {
            let shelf = Some(Shelf {
                theme,
                ..Shelf::default()
            });
            let request = CreateShelfRequest {
                shelf_id: id.as_str().to_owned(),
                shelf,
            };
            write(
                [client
                    .create_shelf(connection.request(request))
                    .await?
                    .into_inner()],
                &mut out,
            )?;
        }
        Shelves::Delete { shelf, force } => {
            let request = DeleteShelfRequest {
                name: shelf.to_string(),
                force,
            };
            client.delete_shelf(connection.request(request)).await?;
            writeln!(out, "deleted {shelf}")?;
        }
    }
    Ok(())
}

async fn list(
    connection: &Connection,
    page: PageArgs,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let PageArgs {
        page_size,
        mut page_token,
        all,
    } = page;
    let mut found = Vec::new();
    loop {
        let request = ListShelvesRequest {
            page_size,
            page_token,
        };
        let answer = connection
            .client
            .list_shelves(connection.request(request))
            .await?;
        let ListShelvesResponse {
            shelves,
            next_page_token,
        } = answer.into_inner();
        found.extend(shelves);
        page_token = next_page_token;
        if !all || page_token.is_empty() {
            break;
        }
    }
    write(found, out)?;
    write_next_page(out, &page_token)
}

fn write(shelves: impl IntoIterator<Item = Shelf>, out: &mut impl Write) -> Result<(), Failure> {
    let mut table = Table::new(["NAME", "BOOKS>", "CREATED", "THEME"]);
    for shelf in shelves {
        table.row([
            shelf.name,
            shelf.book_count.to_string(),
            time(shelf.create_time),
            shelf.theme,
        ]);
    }
    Ok(table.write(out)?)
}
