//! The methods of Buffer that read and write numbers. They do what is right at once; for anything else they call
//! `buffer_numbers.js`, which converts the arguments or says what is wrong with them.

use qjs::function::{Kind, function};
use qjs::{Borrowed, Call, Cx, Returned, access, define::Put as _};
use rquickjs::{Ctx, Function, Object, Value, function::This};

use crate::internal;

/// How a number lies in a buffer: its size in bytes and these flags.
type Format = u8;
const SIZE: Format = 15;
const BIG_ENDIAN: Format = 16;
const SIGNED: Format = 32;
const FLOAT: Format = 64;
const BIG_INT: Format = 128;

/// Turns the bytes of a number as they lie in a buffer into little-endian order, and back.
fn in_order(mut bytes: [u8; 8], format: Format) -> [u8; 8] {
    if format & BIG_ENDIAN != 0 {
        bytes[..usize::from(format & SIZE)].reverse();
    }
    bytes
}

fn position(offset: Borrowed<'_>) -> Option<usize> {
    if offset.is_undefined() {
        return Some(0);
    }
    let number = offset.number()?;
    (number >= 0.0 && number.fract() == 0.0 && number < 9e15).then_some(number as usize)
}

fn read_at<'js>(cx: Cx<'js>, view: Borrowed<'_>, at: usize, format: Format) -> Option<rquickjs::Result<Value<'js>>> {
    let size = usize::from(format & SIZE);
    let bits = u64::from_le_bytes(in_order(access::peek(cx, view, at, size)?, format));
    let spare = 64 - size as u32 * 8;
    let signed = (bits << spare) as i64 >> spare;
    let number = match format & (FLOAT | SIGNED | BIG_INT) {
        FLOAT if size == 4 => cx.float(f32::from_bits(bits as u32).into()),
        FLOAT => cx.float(f64::from_bits(bits)),
        BIG_INT => cx.biguint(bits),
        SIGNED => cx.float(signed as f64),
        0 => cx.float(bits as f64),
        _ => cx.bigint(signed),
    };
    Some(number.into_value(cx))
}

/// Whether an integer of this format can have the value. (It can be NaN, which is written as 0.)
fn fits(value: f64, format: Format) -> bool {
    let bits = i32::from(format & SIZE) * 8;
    let (min, max) = match format & SIGNED {
        0 => (0.0, 2f64.powi(bits) - 1.0),
        _ => (-2f64.powi(bits - 1), 2f64.powi(bits - 1) - 1.0),
    };
    !(value < min || value > max)
}

fn write_at(cx: Cx<'_>, view: Borrowed<'_>, value: f64, at: usize, format: Format) -> Option<usize> {
    let size = usize::from(format & SIZE);
    let bits = match format & FLOAT {
        0 if !fits(value, format) => return None,
        0 => (value as i64).to_le_bytes(),
        _ if size == 4 => u64::from((value as f32).to_bits()).to_le_bytes(),
        _ => value.to_bits().to_le_bytes(),
    };
    access::poke(cx, view, at, in_order(bits, format), size)?;
    Some(at + size)
}

/// Has the script do what is not done here.
fn slowly<'js>(call: &Call<'_, 'js>, name: &str, format: Format) -> rquickjs::Result<Value<'js>> {
    let slow: Function = internal::function(&call.ctx, "buffer_numbers", name)?;
    slow.call((This(call.this()), call.arg(0), call.arg(1), call.arg(2), format))
}

fn read<'js, const FORMAT: Format>(call: Call<'_, 'js>) -> rquickjs::Result<Value<'js>> {
    let found = position(call.args.get(0)).and_then(|at| read_at(Cx::of(&call.ctx), call.this, at, FORMAT));
    found.unwrap_or_else(|| slowly(&call, "read", FORMAT))
}

/// `(offset, byteLength)`.
fn read_some<'js, const FORMAT: Format>(call: Call<'_, 'js>) -> rquickjs::Result<Value<'js>> {
    let (at, size) = (call.args.get(0), call.args.get(1).int().filter(|size| (1..=6).contains(size)));
    let at = position(at).filter(|_| !at.is_undefined());
    let found = at.zip(size).and_then(|(at, size)| read_at(Cx::of(&call.ctx), call.this, at, FORMAT | size as Format));
    found.unwrap_or_else(|| slowly(&call, "readSome", FORMAT))
}

fn write<'js, const FORMAT: Format>(call: Call<'_, 'js>) -> rquickjs::Result<Value<'js>> {
    let cx = Cx::of(&call.ctx);
    let parts = call.args.get(0).number().zip(position(call.args.get(1)));
    match parts.and_then(|(value, at)| write_at(cx, call.this, value, at, FORMAT)) {
        None => slowly(&call, "write", FORMAT),
        written => end(cx, written),
    }
}

/// `(value, offset, byteLength)`.
fn write_some<'js, const FORMAT: Format>(call: Call<'_, 'js>) -> rquickjs::Result<Value<'js>> {
    let cx = Cx::of(&call.ctx);
    let (at, size) = (call.args.get(1), call.args.get(2).int().filter(|size| (1..=6).contains(size)));
    let at = position(at).filter(|_| !at.is_undefined());
    let parts = call.args.get(0).number().zip(at.zip(size));
    match parts.and_then(|(value, (at, size))| write_at(cx, call.this, value, at, FORMAT | size as Format)) {
        None => slowly(&call, "writeSome", FORMAT),
        written => end(cx, written),
    }
}

fn write_big<'js, const FORMAT: Format>(call: Call<'_, 'js>) -> rquickjs::Result<Value<'js>> {
    slowly(&call, "writeBig", FORMAT)
}

/// `(view, value, offset, format)`.
fn set<'js>(call: Call<'_, 'js>) -> rquickjs::Result<Value<'js>> {
    let cx = Cx::of(&call.ctx);
    let format = call.args.get(3).int().unwrap_or(0) as Format;
    let parts = call.args.get(1).number().zip(position(call.args.get(2)));
    end(cx, parts.and_then(|(value, at)| write_at(cx, call.args.get(0), value, at, format)))
}

/// `(view, value, offset, format)`: the low 64 bits of a BigInt.
fn set_big<'js>(call: Call<'_, 'js>) -> rquickjs::Result<Value<'js>> {
    let cx = Cx::of(&call.ctx);
    let bits = qjs::number::to_bigint64(cx, call.args.get(1))?.to_le_bytes();
    let format = call.args.get(3).int().unwrap_or(0) as Format;
    let written = position(call.args.get(2))
        .and_then(|at| access::poke(cx, call.args.get(0), at, in_order(bits, format), 8).map(|()| at + 8));
    end(cx, written)
}

fn end<'js>(cx: Cx<'js>, at: Option<usize>) -> rquickjs::Result<Value<'js>> {
    at.map_or(Returned::UNDEFINED, |at| cx.float(at as f64)).into_value(cx)
}

/// The native functions of `buffer_numbers.js`.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = qjs::pristine::bare_object(ctx)?;
    native.put("set", function(ctx, Kind::Plain, "set", 4, set)?)?;
    native.put("setBig", function(ctx, Kind::Plain, "setBig", 4, set_big)?)?;
    Ok(native)
}

/// Defines `numbers`: the methods by their names.
pub(super) fn define(native: &Object<'_>) -> rquickjs::Result<()> {
    let ctx = native.ctx();
    let methods = qjs::pristine::bare_object(ctx)?;
    macro_rules! methods {
        ($($name:literal $function:ident $length:literal $format:expr,)*) => {
            $(methods.put($name, function(ctx, Kind::Plain, $name, $length, $function::<{ $format }>)?)?;)*
        };
    }
    #[rustfmt::skip]
    methods! {
        "readBigUInt64LE" read 0 BIG_INT | 8, "readBigUInt64BE" read 0 BIG_INT | BIG_ENDIAN | 8,
        "readBigInt64LE" read 0 BIG_INT | SIGNED | 8, "readBigInt64BE" read 0 BIG_INT | SIGNED | BIG_ENDIAN | 8,
        "writeBigUInt64LE" write_big 1 BIG_INT | 8, "writeBigUInt64BE" write_big 1 BIG_INT | BIG_ENDIAN | 8,
        "writeBigInt64LE" write_big 1 BIG_INT | SIGNED | 8,
        "writeBigInt64BE" write_big 1 BIG_INT | SIGNED | BIG_ENDIAN | 8,
        "readUIntLE" read_some 2 0, "readUInt32LE" read 0 4, "readUInt16LE" read 0 2, "readUInt8" read 0 1,
        "readUIntBE" read_some 2 BIG_ENDIAN, "readUInt32BE" read 0 BIG_ENDIAN | 4,
        "readUInt16BE" read 0 BIG_ENDIAN | 2,
        "readIntLE" read_some 2 SIGNED, "readInt32LE" read 0 SIGNED | 4, "readInt16LE" read 0 SIGNED | 2,
        "readInt8" read 0 SIGNED | 1,
        "readIntBE" read_some 2 SIGNED | BIG_ENDIAN, "readInt32BE" read 0 SIGNED | BIG_ENDIAN | 4,
        "readInt16BE" read 0 SIGNED | BIG_ENDIAN | 2,
        "writeUIntLE" write_some 3 0, "writeUInt32LE" write 1 4, "writeUInt16LE" write 1 2, "writeUInt8" write 1 1,
        "writeUIntBE" write_some 3 BIG_ENDIAN, "writeUInt32BE" write 1 BIG_ENDIAN | 4,
        "writeUInt16BE" write 1 BIG_ENDIAN | 2,
        "writeIntLE" write_some 3 SIGNED, "writeInt32LE" write 1 SIGNED | 4, "writeInt16LE" write 1 SIGNED | 2,
        "writeInt8" write 1 SIGNED | 1,
        "writeIntBE" write_some 3 SIGNED | BIG_ENDIAN, "writeInt32BE" write 1 SIGNED | BIG_ENDIAN | 4,
        "writeInt16BE" write 1 SIGNED | BIG_ENDIAN | 2,
        "readFloatLE" read 0 FLOAT | 4, "readFloatBE" read 0 FLOAT | BIG_ENDIAN | 4,
        "readDoubleLE" read 0 FLOAT | 8, "readDoubleBE" read 0 FLOAT | BIG_ENDIAN | 8,
        "writeFloatLE" write 1 FLOAT | 4, "writeFloatBE" write 1 FLOAT | BIG_ENDIAN | 4,
        "writeDoubleLE" write 1 FLOAT | 8, "writeDoubleBE" write 1 FLOAT | BIG_ENDIAN | 8,
    };
    native.put("numbers", methods)
}
