//! Takes the project's pictures: runs the program in a real pseudo-terminal, breaks what it talks to, and writes what
//! then stands on the screen as SVG. Run as `cargo xtask pictures`, which builds the program first. Owns which
//! sets there are; each set knows what it shows.
//!
//! - `album`: where programs are started and pictures kept.
//! - `cluster`: servers, and who talks there.
//! - `readme`, `states`, `sizes`, `themes`: the sets.
//! - `svg`, `look`: a screen as a picture.

#![expect(clippy::unwrap_used, reason = "a chore that cannot go on says where")]

#[path = "pictures/album.rs"]
mod album;
#[path = "pictures/cluster.rs"]
mod cluster;
#[path = "pictures/look.rs"]
mod look;
#[path = "pictures/readme.rs"]
mod readme;
#[path = "pictures/sizes.rs"]
mod sizes;
#[path = "pictures/states.rs"]
mod states;
#[path = "pictures/svg.rs"]
mod svg;
#[path = "pictures/themes.rs"]
mod themes;

use album::Album;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let album = Album::open(arguments.next().expect("the folder for the pictures").into());
    let asked: Vec<String> = arguments.collect();
    let wanted = |set: &str| asked.is_empty() || asked.iter().any(|name| name == set);
    if wanted("readme") {
        readme::take(&album).await;
    }
    if wanted("states") {
        states::take(&album).await;
    }
    if wanted("sizes") {
        sizes::take(&album).await;
    }
    if wanted("themes") {
        themes::take(&album).await;
    }
}
