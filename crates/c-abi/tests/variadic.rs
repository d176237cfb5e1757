//! Where variable arguments lie.

use c_abi::{Addresses, Layout, Passed, Scalar, variadic};

fn places(list: &[Layout], addresses: Addresses) -> Vec<(usize, Scalar)> {
    let mut end = 0;
    let mut places = Vec::new();
    for layout in list {
        if let Some((at, scalar)) = variadic::place(end, *layout, addresses) {
            places.push((at, scalar));
            end = at + scalar.size(addresses);
        }
    }
    places
}

#[test]
fn numbers_are_promoted_and_aligned() {
    let list = [Scalar::I8, Scalar::F32, Scalar::I32, Scalar::Address, Scalar::I64, Scalar::F128];
    let expected = |address, last| {
        vec![
            (0, Scalar::I32),
            (8, Scalar::F64),
            (16, Scalar::I32),
            (address, Scalar::Address),
            (last, Scalar::I64),
            (last + 8 + (last + 8) % 16, Scalar::F128),
        ]
    };
    let promoted = list.map(variadic::promoted);
    let of = |addresses| places(&promoted.map(|scalar| Layout::scalar(scalar, addresses)), addresses);
    assert_eq!(of(Addresses::Narrow), expected(20, 24));
    assert_eq!(of(Addresses::Wide), expected(24, 32));
}

#[test]
fn records_go_by_address_and_empty_ones_not_at_all() {
    let record = Layout { size: 24, align: 8, passed: Passed::Address };
    let empty = Layout { size: 0, align: 1, passed: Passed::Nothing };
    let list = [empty, record, empty, record];
    assert_eq!(places(&list, Addresses::Narrow), [(0, Scalar::Address), (4, Scalar::Address)]);
    assert_eq!(places(&list, Addresses::Wide), [(0, Scalar::Address), (8, Scalar::Address)]);
}

/// As clang stores `struct { float a; }`, `struct { char a; }` and an `int` behind them.
#[test]
fn the_only_number_of_a_record_is_not_promoted() {
    let list = [Scalar::F32, Scalar::I8, Scalar::I32].map(|scalar| Layout::scalar(scalar, Addresses::Narrow));
    let expected = [(0, Scalar::F32), (4, Scalar::I8), (8, Scalar::I32)];
    assert_eq!(places(&list, Addresses::Narrow), expected);
}
