//! Random modules with legacy exception handling, which `wasm-smith` does not make.

use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, EntityType, ExportKind, ExportSection, Function, FunctionSection, GlobalSection,
    GlobalType, ImportSection, Instruction, Module, TagKind, TagSection, TagType, TypeSection, ValType,
};

use crate::differential::SplitMix;

/// How many loops and calls a module may do in all.
const FUEL: i32 = 300;

/// About how many instructions a function has.
const LENGTH: i32 = 120;

/// How deep blocks and expressions may be in each other.
const DEPTH: usize = 9;

/// The types of what is computed.
const VALUES: [ValType; 3] = [ValType::I32, ValType::I64, ValType::F64];

/// How many locals of each type there are beside the parameters.
const LOCALS: u32 = 2;

type Types = Vec<ValType>;

/// A function's type, or a block's.
#[derive(Clone, PartialEq)]
struct Signature {
    params: Types,
    results: Types,
}

/// A label that is in scope.
struct Label {
    /// What a branch to it takes.
    takes: Types,
    /// Whether its exception can be thrown again.
    is_clause: bool,
}

struct Generator {
    random: SplitMix,
    types: Vec<Signature>,
    /// The types of functions, of which the first are imported.
    functions: Vec<Signature>,
    tags: Vec<Types>,
    code: Vec<Instruction<'static>>,
    labels: Vec<Label>,
    params: Types,
    length: i32,
}

/// The only global: the fuel that is left.
const FUEL_LEFT: u32 = 0;
const IMPORTS: u32 = 2;

/// The module of a seed.
pub(crate) fn module(seed: u64) -> Vec<u8> {
    let mut generator = Generator {
        random: SplitMix(seed),
        types: Vec::new(),
        functions: Vec::new(),
        tags: Vec::new(),
        code: Vec::new(),
        labels: Vec::new(),
        params: Types::new(),
        length: 0,
    };
    let (i32, i64) = (ValType::I32, ValType::I64);
    generator.functions.push(Signature { params: vec![i32], results: vec![i32] });
    generator.functions.push(Signature { params: vec![i64, i32], results: vec![] });
    generator.tags = vec![vec![], vec![i32], vec![i64, i32], vec![ValType::F64]];
    for _ in 0..2 + generator.random.below(4) {
        let signature = Signature { params: generator.some_types(2), results: generator.some_types(2) };
        generator.functions.push(signature);
    }
    let bodies: Vec<_> = (IMPORTS as usize..generator.functions.len()).map(|at| generator.function(at)).collect();
    generator.assemble(bodies)
}

impl Generator {
    fn assemble(mut self, bodies: Vec<Function>) -> Vec<u8> {
        let functions = self.functions.clone();
        let indices: Vec<_> = functions.into_iter().map(|signature| self.type_index(signature)).collect();
        let tags: Vec<_> = self.tags.clone().into_iter().map(|params| Signature { params, results: vec![] }).collect();
        let tags: Vec<_> = tags.into_iter().map(|signature| self.type_index(signature)).collect();
        let (mut types, mut imports) = (TypeSection::new(), ImportSection::new());
        for Signature { params, results } in self.types {
            types.ty().function(params, results);
        }
        imports.import("m", "gives", EntityType::Function(indices[0]));
        imports.import("m", "takes", EntityType::Function(indices[1]));
        let tag = |index: &u32| TagType { kind: TagKind::Exception, func_type_idx: *index };
        imports.import("m", "tag", EntityType::Tag(tag(&tags[0])));
        let (mut functions, mut own_tags, mut globals) =
            (FunctionSection::new(), TagSection::new(), GlobalSection::new());
        for index in &indices[IMPORTS as usize..] {
            functions.function(*index);
        }
        for index in &tags[1..] {
            own_tags.tag(tag(index));
        }
        let fuel = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
        globals.global(fuel, &ConstExpr::i32_const(FUEL));
        let (mut exports, mut code) = (ExportSection::new(), CodeSection::new());
        exports.export("fuel", ExportKind::Global, FUEL_LEFT);
        for at in IMPORTS..indices.len() as u32 {
            exports.export(&format!("f{at}"), ExportKind::Func, at);
        }
        for body in &bodies {
            code.function(body);
        }
        let mut module = Module::new();
        module.section(&types).section(&imports).section(&functions).section(&own_tags).section(&globals);
        module.section(&exports).section(&code);
        module.finish()
    }

    fn function(&mut self, at: usize) -> Function {
        let Signature { params, results } = self.functions[at].clone();
        self.params = params;
        self.length = LENGTH;
        self.labels = vec![Label { takes: results.clone(), is_clause: false }];
        self.burn();
        self.body(&results);
        self.code.push(Instruction::End);
        self.labels.clear();
        let mut function = Function::new(VALUES.map(|ty| (LOCALS, ty)));
        for instruction in self.code.drain(..) {
            function.instruction(&instruction);
        }
        function
    }

    /// Traps if the fuel is used up.
    fn burn(&mut self) {
        use Instruction::{Else, End, GlobalGet, GlobalSet, I32Const, I32Sub, If, Unreachable};
        self.code.extend([GlobalGet(FUEL_LEFT), If(BlockType::Empty), GlobalGet(FUEL_LEFT), I32Const(1), I32Sub]);
        self.code.extend([GlobalSet(FUEL_LEFT), Else, Unreachable, End]);
    }

    /// Some statements, and values of these types.
    fn body(&mut self, results: &[ValType]) {
        for _ in 0..self.random.below(4) {
            self.statement();
        }
        self.values(results);
    }

    fn values(&mut self, types: &[ValType]) {
        types.iter().for_each(|ty| self.value(*ty));
    }

    fn value(&mut self, ty: ValType) {
        self.length -= 1;
        let is_small = self.length <= 0 || self.labels.len() >= DEPTH;
        match if is_small { self.random.below(4) } else { self.random.below(14) } {
            0 | 1 => self.constant(ty),
            2 | 3 => {
                let local = self.local(ty);
                self.code.push(Instruction::LocalGet(local));
            }
            4 => {
                self.value(ty);
                self.value(ty);
                let choice = self.random.below(3);
                self.code.push(match (ty, choice) {
                    (ValType::I32, 0) => Instruction::I32DivS,
                    (ValType::I32, 1) => Instruction::I32Xor,
                    (ValType::I32, _) => Instruction::I32Add,
                    (ValType::I64, 0) => Instruction::I64Mul,
                    (ValType::I64, _) => Instruction::I64Sub,
                    (_, 0) => Instruction::F64Mul,
                    _ => Instruction::F64Add,
                });
            }
            5 => self.call(Some(ty)),
            _ => self.block(vec![ty]),
        }
    }

    fn constant(&mut self, ty: ValType) {
        let value = self.random.below(5) as i32 - 1;
        self.code.push(match ty {
            ValType::I32 => Instruction::I32Const(value),
            ValType::I64 => Instruction::I64Const(value.into()),
            _ => Instruction::F64Const(f64::from(value).into()),
        });
    }

    /// A local of the type.
    fn local(&mut self, ty: ValType) -> u32 {
        let of_type = VALUES.iter().position(|each| *each == ty).expect("one of these");
        let own = self.params.len() as u32 + of_type as u32 * LOCALS;
        let params = self.params.iter().zip(0..).filter(|(each, _)| **each == ty).map(|(_, at)| at);
        let all: Vec<_> = params.chain(own..own + LOCALS).collect();
        all[self.random.below(all.len())]
    }

    fn statement(&mut self) {
        self.length -= 1;
        let is_small = self.length <= 0 || self.labels.len() >= DEPTH;
        match if is_small { self.random.below(3) } else { self.random.below(20) } {
            0 | 1 => {
                let ty = self.some_type();
                let local = self.local(ty);
                self.value(ty);
                self.code.push(Instruction::LocalSet(local));
            }
            2 => {
                self.values(&[ValType::I64, ValType::I32]);
                self.code.push(Instruction::Call(1));
            }
            3 | 4 => {
                let tag = self.random.below(self.tags.len());
                self.values(&self.tags[tag].clone());
                self.code.push(Instruction::Throw(tag as u32));
            }
            5 => self.branch(),
            6 => self.branch_if(),
            7 => {
                self.values(&self.labels[0].takes.clone());
                self.code.push(Instruction::Return);
            }
            8..=10 => self.rethrow(),
            11 => self.call(None),
            _ => {
                let results = self.some_types(2);
                self.block(results.clone());
                self.consume(&results);
            }
        }
    }

    /// Puts values of these types, which are on the stack, into locals.
    fn consume(&mut self, types: &[ValType]) {
        for ty in types.iter().rev() {
            let local = self.local(*ty);
            self.code.push(if self.random.below(4) == 0 { Instruction::Drop } else { Instruction::LocalSet(local) });
        }
    }

    fn branch(&mut self) {
        let depth = self.random.below(self.labels.len());
        let takes = self.label(depth).takes.clone();
        self.values(&takes);
        if self.random.below(3) == 0 {
            let same: Vec<_> = (0..self.labels.len()).filter(|at| self.label(*at).takes == takes).collect();
            let targets: Vec<_> = (0..2).map(|_| same[self.random.below(same.len())] as u32).collect();
            self.value(ValType::I32);
            self.code.push(Instruction::BrTable(targets.into(), depth as u32));
        } else {
            self.code.push(Instruction::Br(depth as u32));
        }
    }

    fn branch_if(&mut self) {
        let depth = self.random.below(self.labels.len());
        let takes = self.label(depth).takes.clone();
        self.values(&takes);
        self.value(ValType::I32);
        self.code.push(Instruction::BrIf(depth as u32));
        self.consume(&takes);
    }

    fn rethrow(&mut self) {
        let clauses: Vec<_> = (0..self.labels.len()).filter(|depth| self.label(*depth).is_clause).collect();
        if !clauses.is_empty() {
            let depth = clauses[self.random.below(clauses.len())];
            self.code.push(Instruction::Rethrow(depth as u32));
        }
    }

    fn label(&self, depth: usize) -> &Label {
        &self.labels[self.labels.len() - 1 - depth]
    }

    /// A call whose results are left, if one value of this type is wanted, or put away.
    fn call(&mut self, wanted: Option<ValType>) {
        let fits = |signature: &Signature| wanted.is_none_or(|ty| signature.results == [ty]);
        let all: Vec<_> = (0..self.functions.len()).filter(|at| fits(&self.functions[*at])).collect();
        if all.is_empty() {
            return wanted.into_iter().for_each(|ty| self.constant(ty));
        }
        let at = all[self.random.below(all.len())];
        let Signature { params, results } = self.functions[at].clone();
        self.values(&params);
        self.code.push(Instruction::Call(at as u32));
        if wanted.is_none() {
            self.consume(&results);
        }
    }

    /// A block of any kind, whose results are left.
    fn block(&mut self, results: Types) {
        let params = if self.random.below(3) == 0 { self.some_types(2) } else { Types::new() };
        self.values(&params);
        let ty = self.block_type(&params, &results);
        match self.random.below(10) {
            0 => self.open(Instruction::Block(ty), &params, &results, &results),
            1 => {
                self.open_loop(ty, &params, &results);
            }
            2 => {
                self.value(ValType::I32);
                self.open(Instruction::If(ty), &params, &results, &results);
                self.code.push(Instruction::Else);
                self.consume(&params);
                self.body(&results);
            }
            3 => self.open(Instruction::Try(ty), &params, &results, &results),
            4 | 5 => {
                self.open(Instruction::Try(ty), &params, &results, &results);
                self.labels.pop();
                let depth = self.random.below(self.labels.len());
                return self.code.push(Instruction::Delegate(depth as u32));
            }
            _ => self.catching(ty, &params, &results),
        }
        self.code.push(Instruction::End);
        self.labels.pop();
    }

    fn open(&mut self, begin: Instruction<'static>, params: &[ValType], results: &[ValType], takes: &[ValType]) {
        self.code.push(begin);
        self.labels.push(Label { takes: takes.to_vec(), is_clause: false });
        self.consume(params);
        self.body(results);
    }

    fn open_loop(&mut self, ty: BlockType, params: &[ValType], results: &[ValType]) {
        self.code.push(Instruction::Loop(ty));
        self.labels.push(Label { takes: params.to_vec(), is_clause: false });
        self.burn();
        self.consume(params);
        self.body(results);
    }

    fn catching(&mut self, ty: BlockType, params: &[ValType], results: &[ValType]) {
        self.open(Instruction::Try(ty), params, results, results);
        let clauses = self.random.below(3);
        let catches_all = clauses == 0 || self.random.below(2) == 0;
        for clause in 0..clauses + usize::from(catches_all) {
            let carried = if clause < clauses {
                let tag = self.random.below(self.tags.len());
                self.code.push(Instruction::Catch(tag as u32));
                self.tags[tag].clone()
            } else {
                self.code.push(Instruction::CatchAll);
                Types::new()
            };
            self.labels.last_mut().expect("the block's own").is_clause = true;
            self.consume(&carried);
            self.body(results);
        }
    }

    fn block_type(&mut self, params: &[ValType], results: &[ValType]) -> BlockType {
        match (params, results) {
            ([], []) => BlockType::Empty,
            ([], [result]) => BlockType::Result(*result),
            _ => {
                let signature = Signature { params: params.to_vec(), results: results.to_vec() };
                BlockType::FunctionType(self.type_index(signature))
            }
        }
    }

    fn type_index(&mut self, signature: Signature) -> u32 {
        let known = self.types.iter().position(|other| *other == signature);
        known.unwrap_or_else(|| {
            self.types.push(signature);
            self.types.len() - 1
        }) as u32
    }

    fn some_types(&mut self, most: usize) -> Types {
        (0..self.random.below(most + 1)).map(|_| self.some_type()).collect()
    }

    fn some_type(&mut self) -> ValType {
        VALUES[self.random.below(VALUES.len())]
    }
}

#[cfg(test)]
mod tests {
    use wasmparser::{Operator, Parser, Payload, Validator, WasmFeatures};

    #[test]
    fn modules_are_valid_and_have_everything() {
        let mut seen = [0; 5];
        for seed in 0..300 {
            let module = super::module(seed);
            Validator::new_with_features(WasmFeatures::all()).validate_all(&module).unwrap();
            for payload in Parser::new(0).parse_all(&module) {
                let Payload::CodeSectionEntry(body) = payload.unwrap() else { continue };
                for operator in body.get_operators_reader().unwrap() {
                    match operator.unwrap() {
                        Operator::Try { .. } => seen[0] += 1,
                        Operator::Catch { .. } => seen[1] += 1,
                        Operator::CatchAll => seen[2] += 1,
                        Operator::Delegate { .. } => seen[3] += 1,
                        Operator::Rethrow { .. } => seen[4] += 1,
                        _ => {}
                    }
                }
            }
        }
        assert!(seen.iter().all(|count| *count > 300), "{seen:?}");
    }
}
