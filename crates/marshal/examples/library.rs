//! A C library from Rust: structs, a callback, handles that close themselves, and numbers that are errors.
//!
//! ```sh
//! cargo run --release -p tombolo-marshal --example library
//! ```

use marshal::island::{Engine, EngineOptions, Module};
use marshal::{Callback, Guest, GuestError, HandleType, Marshal, Opaque, Out, OutLen, Status};

/// `enum colour { RED, GREEN = 4, BLUE };`
#[derive(Marshal, Debug)]
#[repr(i32)]
#[allow(dead_code, reason = "the library reads it")]
enum Colour {
    Red,
    Green = 4,
    Blue,
}

/// `struct series { enum colour colour; char *name; uint8_t count; double *values; bool flags[3];`
/// `struct series *next; };`
#[derive(Marshal, Debug)]
struct Series {
    colour: Colour,
    name: Option<String>,
    #[allow(dead_code, reason = "it is what the length of `values` says")]
    count: u8,
    #[marshal(len = "count")]
    values: Vec<f64>,
    flags: [bool; 3],
    next: Option<Box<Series>>,
}

/// `struct point { int32_t id; double x, y; };`
#[derive(Marshal, Debug, Clone)]
struct Point {
    id: i32,
    x: f64,
    y: f64,
}

/// `struct db;`, which `db_close` takes back.
enum Db {}

impl HandleType for Db {
    const DESTRUCTOR: &'static str = "db_close";
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let wasm = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../guests/typed.wasm"))?;
    let engine = Engine::new(&EngineOptions::default())?;
    let guest = Guest::new(&engine, &Module::new(&engine, &wasm)?)?;

    // struct series *echo_series(const struct series *series);
    let echo = guest.function::<(&Series,), Box<Series>>("echo_series")?;
    let last = Series { colour: Colour::Blue, name: None, count: 0, values: vec![0.5], flags: [true; 3], next: None };
    let name = Some("isola".to_string());
    let first = Series {
        colour: Colour::Red,
        name,
        count: 0,
        values: vec![1.0, 2.0],
        flags: [false; 3],
        next: Some(last.into()),
    };
    println!("{:?}", echo.call((&first,))?);

    // void sort_points(struct point *p, int n, int (*compare)(const struct point *, const struct point *));
    type Compare = Callback<fn(Box<Point>, Box<Point>) -> i32>;
    let sort = guest.function::<(&mut [Point], i32, Compare), ()>("sort_points")?;
    let mut points = [3, 1, 2].map(|id| Point { id, x: f64::from(id) / 2.0, y: 0.0 });
    let mut comparisons = 0;
    sort.call((&mut points, 3, &mut |a, b| {
        comparisons += 1;
        a.x.total_cmp(&b.x) as i32
    }))?;
    println!("{:?} after {comparisons} comparisons", points.map(|point| point.id));

    // int db_open(const char *name, struct db **out);
    let open = guest.function::<(&str, Out<Opaque<Db>>), Status>("db_open")?;
    let add = guest.function::<(&Opaque<Db>, i32), i32>("db_add")?;
    let db = open.call(("numbers", ()))?;
    println!("{:?} sums up to {}", db, add.call((&db, 40)).and_then(|_| add.call((&db, 2)))?);
    match open.call(("", ())) {
        Err(GuestError::Status(error)) => println!("{error}"),
        other => println!("{other:?}?"),
    }

    // int stretch(const char *text, uint8_t **out, size_t *len);
    let stretch = guest.function::<(&str, Out<Vec<u8>>, OutLen<usize>), Status>("stretch")?;
    println!("{}", String::from_utf8(stretch.call(("tombolo", (), ()))?)?);

    drop(db);
    let live = guest.function::<(), i32>("live_blocks")?;
    println!("{} blocks are left in the guest", live.call(())?);
    Ok(())
}
