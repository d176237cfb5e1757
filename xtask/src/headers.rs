//! `xtask headers`: C libraries' headers as they ship them, against the command and a compiler.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use c_abi::{Addresses, Number, Signature};
use cdef::{Declarations, Included, Options, RecordKind, Type};

/// The libraries, and the headers that a program includes for each, by the ends of their paths.
const LIBRARIES: [(&str, &[&str]); 20] = [
    ("zlib", &["/zlib.h"]),
    ("sqlite3", &["/sqlite3.h"]),
    ("lua", &["/lua.h", "/lauxlib.h", "/lualib.h"]),
    ("libpng", &["/png.h"]),
    ("libsodium", &["/sodium.h"]),
    ("zstd", &["/zstd.h"]),
    ("lz4", &["/lz4.h", "/lz4frame.h", "/lz4hc.h"]),
    ("cJSON", &["/cJSON.h"]),
    ("expat", &["/expat.h"]),
    ("miniz", &["/miniz.h"]),
    ("stb_image", &["/stb_image.h"]),
    ("raylib", &["/raylib.h"]),
    ("box2d", &["/box2d.h"]),
    ("chipmunk", &["/chipmunk.h"]),
    ("tree-sitter", &["/tree_sitter/api.h"]),
    ("cblas", &["/cblas.h", "/cblas-netlib.h"]),
    ("gsl", &["/gsl/gsl_*.h"]),
    ("fftw", &["/fftw3.h"]),
    ("duktape", &["/duktape.h"]),
    ("quickjs", &["/quickjs.h"]),
];

/// How many of the functions have to be bound.
const WANTED: f64 = 0.97;

/// What begins the table of sizes in an object file.
const MAGIC: u64 = 0x7461_626c_653a_6f66;

/// Runs the command: `headers [--cc COMMAND] [-v] DIR...`.
pub(crate) fn run(arguments: &[&str]) -> ExitCode {
    let (mut folders, mut compiler, mut verbose) = (Vec::new(), None, false);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match *argument {
            "--cc" => compiler = rest.next().copied(),
            "-v" => verbose = true,
            folder => folders.push(PathBuf::from(folder)),
        }
    }
    let mut files = Vec::new();
    folders.iter().for_each(|folder| collect(folder, &mut files));
    files.sort();
    let mut includes: Vec<PathBuf> = files.iter().filter_map(|file| Some(file.parent()?.to_owned())).collect();
    includes.extend(includes.clone().iter().filter_map(|folder| Some(folder.parent()?.to_owned())));
    includes.sort();
    includes.dedup();
    let work = std::env::temp_dir().join(format!("tombolo-headers-{}", std::process::id()));
    if let Err(error) = std::fs::create_dir_all(&work) {
        eprintln!("xtask headers: {}: {error}", work.display());
        return ExitCode::FAILURE;
    }
    println!(
        "{:12} {:>8} {:>6} {:>9} {:>9}  compared with the compiler",
        "library", "declared", "bound", "left out", ""
    );
    let (mut declared, mut bound, mut wrong) = (0, 0, 0);
    for (name, ends) in LIBRARIES {
        let found = find(&files, ends);
        if found.is_empty() {
            println!("{name:12} not found");
            continue;
        }
        let mut sum = Sum::default();
        // A function of several headers counts once.
        let mut counted = std::collections::BTreeSet::new();
        for file in &found {
            let job = Job { file, includes: &includes, work: &work, compiler };
            match job.run(&mut counted) {
                Ok(one) => sum.add(one),
                Err(error) => sum.problems.push(format!("{}: {error}", file.display())),
            }
        }
        let share = if sum.declared == 0 { 1.0 } else { sum.bound as f64 / sum.declared as f64 };
        let left = sum.declared - sum.bound;
        println!("{name:12} {:8} {:6} {left:9} {:8.1}%  {}", sum.declared, sum.bound, share * 100.0, sum.compared);
        let shown = if verbose { usize::MAX } else { 5 };
        for line in sum.problems.iter().take(shown) {
            println!("    ! {line}");
        }
        for (reason, names) in &sum.reasons {
            println!("    {reason}: {}", names.iter().take(shown).cloned().collect::<Vec<_>>().join(", "));
        }
        declared += sum.declared;
        bound += sum.bound;
        wrong += sum.problems.len();
    }
    let _ = std::fs::remove_dir_all(&work);
    let share = if declared == 0 { 0.0 } else { f64::from(bound as u32) / f64::from(declared as u32) };
    println!("{:12} {declared:8} {bound:6} {:9} {:8.1}%", "all", declared - bound, share * 100.0);
    if share >= WANTED && wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What came of a library's headers.
#[derive(Default)]
struct Sum {
    declared: usize,
    bound: usize,
    /// The names of functions by why they are not bound.
    reasons: BTreeMap<String, Vec<String>>,
    compared: String,
    problems: Vec<String>,
}

impl Sum {
    fn add(&mut self, other: Self) {
        self.declared += other.declared;
        self.bound += other.bound;
        for (reason, names) in other.reasons {
            self.reasons.entry(reason).or_default().extend(names);
        }
        if !other.compared.is_empty() && self.compared.len() < 80 {
            let _ = write!(self.compared, "{}{}", if self.compared.is_empty() { "" } else { "; " }, other.compared);
        }
        self.problems.extend(other.problems);
    }
}

/// All headers in a folder.
fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "h") {
            into.push(path);
        }
    }
}

/// The first file for each of these ends, or all of them if that has a `*`.
fn find(files: &[PathBuf], ends: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for end in ends {
        let fits = |path: &&PathBuf| match end.split_once('*') {
            Some((before, after)) => {
                let path = path.to_string_lossy();
                path.contains(before) && path.ends_with(after)
            }
            None => path.to_string_lossy().ends_with(end),
        };
        let all = end.contains('*');
        // An example's copy is longer than the library's own.
        let mut fitting: Vec<&PathBuf> = files.iter().filter(fits).collect();
        fitting.sort_by_key(|path| path.components().count());
        found.extend(fitting.into_iter().take(if all { usize::MAX } else { 1 }).cloned());
    }
    found
}

/// One header.
struct Job<'a> {
    file: &'a Path,
    includes: &'a [PathBuf],
    work: &'a Path,
    compiler: Option<&'a str>,
}

impl Job<'_> {
    fn read(&self, text: &str, name: &str) -> Result<Declarations, String> {
        let find = |name: &str, is_quoted: bool, from: &str| {
            let beside = Path::new(from).parent().filter(|_| is_quoted);
            let places = beside.into_iter().chain(self.includes.iter().map(PathBuf::as_path));
            places.map(|folder| folder.join(name)).find_map(|path| {
                let text = std::fs::read(&path).ok()?;
                let text = String::from_utf8_lossy(&text).into_owned();
                Some(Included { name: path.to_string_lossy().into_owned(), text, is_system: false })
            })
        };
        let options = Options { name, include: Some(&find), ..Options::default() };
        cdef::read(text, &options).map_err(|error| error.to_string())
    }

    fn run(&self, counted: &mut std::collections::BTreeSet<String>) -> Result<Sum, String> {
        let bytes = std::fs::read(self.file).map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let declarations = self.read(&text, &self.file.to_string_lossy())?;
        let mut sum = Sum::default();
        // Other headers of a library are read on their own.
        let of_file = |at: cdef::Position| !declarations.is_system(at);
        let own: Vec<&cdef::Function> = (declarations.functions.iter())
            .filter(|function| !function.is_inline && of_file(function.position))
            .collect();
        let failed: Vec<&cdef::Skipped> =
            declarations.skipped.iter().filter(|skipped| skipped.kind == cdef::Kind::Function).collect();
        let stub = self.work.join("stub.wasm");
        std::fs::write(&stub, self.stub(&declarations, &own)?).map_err(|error| error.to_string())?;
        let report = self.bind(&stub)?;
        let names = own.iter().map(|function| &function.name).chain(failed.iter().map(|skipped| &skipped.name));
        for name in names {
            if counted.insert(name.clone()) {
                sum.declared += 1;
                match report.missing.get(name) {
                    None if report.functions.contains(name) => sum.bound += 1,
                    reason => {
                        let reason = reason.map_or("not told", String::as_str).to_owned();
                        sum.reasons.entry(reason).or_default().push(name.clone());
                    }
                }
            }
        }
        if let Some(compiler) = self.compiler {
            self.compare(compiler, &declarations, &own, &mut sum);
        }
        Ok(sum)
    }

    /// A module that exports all functions.
    fn stub(&self, declarations: &Declarations, functions: &[&cdef::Function]) -> Result<Vec<u8>, String> {
        let mut text = String::from(
            "(module (memory (export \"memory\") 1) (table (export \"__indirect_function_table\") 1 funcref)\n",
        );
        let mut known = vec!["malloc", "free"];
        let own = "(func (export \"malloc\") (param i32) (result i32) unreachable)\n\
                   (func (export \"free\") (param i32))\n";
        text.push_str(own);
        for function in functions {
            if known.contains(&function.name.as_str()) {
                continue;
            }
            known.push(&function.name);
            if let Some(signature) = declarations.signature(&function.signature, Addresses::Narrow) {
                let _ = write!(text, "(func (export {:?})", function.name);
                for param in &signature.params {
                    let _ = write!(text, " (param {param})");
                }
                if let Some(result) = signature.result {
                    let _ = write!(text, " (result {result})");
                }
                text.push_str(" unreachable)\n");
            }
        }
        text.push(')');
        wat::parse_str(&text).map_err(|error| error.to_string())
    }

    /// What the command makes of the header.
    fn bind(&self, stub: &Path) -> Result<Report, String> {
        let mut command = Command::new(super::command().map_err(|error| error.to_string())?);
        command.arg("bind").arg("--json").arg(self.file).arg(stub);
        for folder in self.includes {
            command.arg("-I").arg(folder);
        }
        let output = command.output().map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
        }
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let functions = report["functions"].as_array().map(|list| list.iter().map(text).collect());
        let skipped = report["skipped"].as_array().cloned().unwrap_or_default();
        let missing = skipped.iter().filter(|skipped| skipped["kind"] == "function");
        let missing = missing.map(|skipped| (text(&skipped["name"]), text(&skipped["reason"]))).collect();
        Ok(Report { functions: functions.unwrap_or_default(), missing })
    }

    /// Compares signatures, sizes and offsets with what a C compiler makes of the header, and the functions with those
    /// that are left by its own preprocessor.
    fn compare(&self, compiler: &str, declarations: &Declarations, own: &[&cdef::Function], sum: &mut Sum) {
        let records = named_records(declarations);
        let mut source = String::from("#include <stddef.h>\n#include <stdio.h>\n");
        let _ = writeln!(source, "#include \"{}\"", self.file.display());
        source.push_str("void *const volatile all[] = {\n");
        for function in own {
            let _ = writeln!(source, "(void *)({}),", function.name);
        }
        let _ = writeln!(source, "0}};\nconst unsigned long long volatile sizes[] = {{ {MAGIC}ull,");
        let mut ours = Vec::new();
        for (index, name) in &records {
            let record = &declarations.records[*index];
            let (Some(layout), Some(fields)) = (record.layout(Addresses::Narrow), &record.fields) else { continue };
            let _ = writeln!(source, "sizeof({name}), _Alignof({name}),");
            ours.push((format!("the size of {name}"), layout.layout.size as u64));
            ours.push((format!("the alignment of {name}"), layout.layout.align as u64));
            for (field, place) in fields.iter().zip(&layout.places) {
                if let (Some(of), None) = (&field.name, field.bits) {
                    let _ = writeln!(source, "offsetof({name}, {of}),");
                    ours.push((format!("the offset of {name}.{of}"), place.offset as u64));
                }
            }
        }
        source.push_str("0};\n");
        let (file, object) = (self.work.join("compare.c"), self.work.join("compare.o"));
        if let Err(error) = std::fs::write(&file, source) {
            sum.problems.push(error.to_string());
            return;
        }
        let words = compiler.split_whitespace();
        let make = |arguments: &[&str]| {
            let mut command = Command::new(words.clone().next().unwrap_or("cc"));
            command.args(words.clone().skip(1)).args(arguments).arg("-w").arg(&file);
            for folder in self.includes {
                command.arg("-I").arg(folder);
            }
            command.stdin(Stdio::null()).output()
        };
        let compiled = make(&["-c", "-O0", "-o", &object.to_string_lossy()]);
        match compiled {
            Ok(output) if output.status.success() => {}
            Ok(output) => {
                let errors = String::from_utf8_lossy(&output.stderr).into_owned();
                let first = errors.lines().find(|line| line.contains("error")).unwrap_or("it fails").to_owned();
                sum.compared = format!("not: {first}");
                return;
            }
            Err(error) => {
                sum.compared = format!("not: {error}");
                return;
            }
        }
        let preprocessed = make(&["-E"]);
        let object = std::fs::read(&object).unwrap_or_default();
        let imports = imports(&object);
        let mut signatures = 0;
        for function in own {
            let ours = declarations.signature(&function.signature, Addresses::Narrow);
            match (imports.get(&function.name), ours) {
                (Some((params, result)), Some(ours)) => {
                    signatures += 1;
                    if (params, *result) != (&ours.params, ours.result) {
                        let name = &function.name;
                        sum.problems.push(format!("{name}: the compiler passes {params:?}, and we {:?}", ours.params));
                    }
                }
                (None, _) => {}
                (Some(_), None) => sum.problems.push(format!("{}: its signature is not known", function.name)),
            }
        }
        let start = object.windows(8).position(|bytes| bytes == MAGIC.to_le_bytes());
        let numbers: Vec<u64> = start.map_or(Vec::new(), |start| {
            let bytes = object[start + 8..].chunks_exact(8);
            bytes.take(ours.len()).map(|bytes| u64::from_le_bytes(bytes.try_into().unwrap_or_default())).collect()
        });
        if numbers.len() != ours.len() {
            sum.problems.push("the compiler's sizes were not found".to_owned());
        }
        for ((what, ours), theirs) in ours.iter().zip(&numbers) {
            if ours != theirs {
                sum.problems.push(format!("{what}: the compiler says {theirs}, and we {ours}"));
            }
        }
        sum.compared = format!("{signatures} signatures, {} sizes and offsets", ours.len());
        if let Ok(output) = preprocessed {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            match self.read(&text, "") {
                Ok(theirs) => {
                    let has = |name: &str| theirs.functions.iter().any(|function| function.name == name);
                    let missing: Vec<&str> =
                        own.iter().map(|function| function.name.as_str()).filter(|name| !has(name)).collect();
                    if !missing.is_empty() {
                        sum.problems.push(format!("only without the compiler's preprocessor: {}", missing.join(", ")));
                    }
                }
                Err(error) => sum.problems.push(format!("preprocessed by the compiler: {error}")),
            }
        }
    }
}

/// What `tombolo bind --json` says.
struct Report {
    functions: std::collections::BTreeSet<String>,
    missing: BTreeMap<String, String>,
}

/// The records that C has a name for, with it.
fn named_records(declarations: &Declarations) -> Vec<(usize, String)> {
    let mut named = Vec::new();
    for (index, record) in declarations.records.iter().enumerate() {
        if declarations.is_system(record.position) || record.fields.is_none() {
            continue;
        }
        let Some(name) = &record.name else { continue };
        let is_typedef = declarations.typedefs.iter().any(|of| of.name == *name && of.ty == Type::Record(index));
        let keyword = if record.kind == RecordKind::Union { "union" } else { "struct" };
        named.push((index, if is_typedef { name.clone() } else { format!("{keyword} {name}") }));
    }
    named
}

/// The types of the functions that an object file imports.
fn imports(object: &[u8]) -> BTreeMap<String, (Vec<Number>, Option<Number>)> {
    let mut types: Vec<Option<Signature>> = Vec::new();
    let mut found = BTreeMap::new();
    let number = |ty: &wasmparser::ValType| match ty {
        wasmparser::ValType::I32 => Some(Number::I32),
        wasmparser::ValType::I64 => Some(Number::I64),
        wasmparser::ValType::F32 => Some(Number::F32),
        wasmparser::ValType::F64 => Some(Number::F64),
        _ => None,
    };
    for payload in wasmparser::Parser::new(0).parse_all(object) {
        match payload {
            Ok(wasmparser::Payload::TypeSection(section)) => {
                for ty in section.into_iter_err_on_gc_types() {
                    types.push(ty.ok().and_then(|ty| {
                        let params = ty.params().iter().map(number).collect::<Option<Vec<_>>>()?;
                        let result = ty.results().first().and_then(number);
                        Some(Signature { params, result, by_room: false })
                    }));
                }
            }
            Ok(wasmparser::Payload::ImportSection(section)) => {
                for import in section.into_imports().flatten() {
                    if let wasmparser::TypeRef::Func(index) = import.ty
                        && let Some(Some(signature)) = types.get(index as usize)
                    {
                        found.insert(import.name.to_owned(), (signature.params.clone(), signature.result));
                    }
                }
            }
            _ => {}
        }
    }
    found
}
