//! A `.wast` script as commands that the driver in JavaScript carries out.
//!
//! Values that JavaScript cannot hold (v128, exnref) or tell apart (NaNs) never reach it: an action that has such
//! values goes through a [wrapper](crate::wrapper), a module that imports what is under test.

use std::collections::HashMap;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use wast::core::{NanPattern, WastArgCore, WastRetCore};
use wast::lexer::Lexer;
use wast::parser::{ParseBuffer, parse};
use wast::token::Id;
use wast::{QuoteWat, Wast, WastArg, WastDirective, WastExecute, WastInvoke, WastRet};

use crate::wrapper::{Exports, Wrapper};

/// A script as commands.
pub(crate) struct Script {
    /// One command for each directive, in order, and those that make wrappers. Each has the `line` that it comes from.
    pub(crate) commands: Vec<Value>,
    /// Assertions about the text format alone, which never reach an engine.
    pub(crate) textual: usize,
}

/// Reads the script.
///
/// # Errors
/// What the parser says, or that a directive has no meaning here.
pub(crate) fn convert(source: &str) -> Result<Script> {
    let mut lexer = Lexer::new(source);
    lexer.allow_confusing_unicode(true);
    let buffer = ParseBuffer::new_with_lexer(lexer)?;
    let wast: Wast = parse(&buffer)?;
    let mut converter = Converter::default();
    let ends_of_lines: Vec<_> = source.match_indices('\n').map(|(at, _)| at).collect();
    for directive in wast.directives {
        let at = directive.span().offset();
        let line = ends_of_lines.partition_point(|&end| end < at) + 1;
        converter.directive(directive, line).with_context(|| format!("line {line}"))?;
    }
    converter.finish()
}

/// Instances and modules are numbered here, so that the driver need not know any names.
#[derive(Default)]
struct Converter<'a> {
    commands: Vec<Value>,
    textual: usize,
    instances: Vec<Instance>,
    instance_names: HashMap<&'a str, usize>,
    definitions: Vec<Vec<u8>>,
    definition_names: HashMap<&'a str, usize>,
}

struct Instance {
    exports: Exports,
    wrapper: Wrapper,
    /// The place among the commands that is kept for the one that makes the wrapper.
    wrapper_command: usize,
}

impl<'a> Converter<'a> {
    fn directive(&mut self, directive: WastDirective<'a>, line: usize) -> Result<()> {
        match directive {
            WastDirective::Module(mut module) => {
                let bytes = module.encode()?;
                let made = json!({"op": "instantiate", "line": line, "module": hex(&bytes)});
                self.instantiate(made, &bytes, module.name());
            }
            WastDirective::ModuleDefinition(mut module) => {
                let bytes = module.encode()?;
                let number = self.definitions.len();
                self.commands.push(json!({"op": "define", "line": line, "definition": number, "module": hex(&bytes)}));
                self.definition_names.extend(module.name().map(|id| (id.name(), number)));
                self.definitions.push(bytes);
            }
            WastDirective::ModuleInstance { instance, module, .. } => {
                let number = match module {
                    Some(id) => *self.definition_names.get(id.name()).context("no such module definition")?,
                    None => self.definitions.len() - 1,
                };
                let made = json!({"op": "instantiate", "line": line, "definition": number});
                let bytes = self.definitions[number].clone();
                self.instantiate(made, &bytes, instance);
            }
            WastDirective::Register { name, module, .. } => {
                let instance = self.instance(module)?;
                self.commands.push(json!({"op": "register", "line": line, "name": name, "instance": instance}));
            }
            WastDirective::AssertMalformed { module, .. } => self.refused(module, true, line)?,
            WastDirective::AssertInvalid { module, .. } => self.refused(module, false, line)?,
            WastDirective::AssertMalformedCustom { .. } | WastDirective::AssertInvalidCustom { .. } => {
                self.textual += 1;
            }
            WastDirective::AssertUnlinkable { mut module, .. } => {
                self.commands.push(json!({"op": "unlinkable", "line": line, "module": hex(&module.encode()?)}));
            }
            WastDirective::Invoke(invoke) => self.action("action", WastExecute::Invoke(invoke), &[], "", line)?,
            WastDirective::AssertReturn { exec, results, .. } => {
                let results = results.into_iter().map(core_result).collect::<Result<Vec<_>>>()?;
                self.action("return", exec, &results, "", line)?;
            }
            WastDirective::AssertTrap { exec, message, .. } => self.action("trap", exec, &[], message, line)?,
            WastDirective::AssertExhaustion { call, .. } => {
                self.action("exhaustion", WastExecute::Invoke(call), &[], "", line)?;
            }
            WastDirective::AssertException { exec, .. } => self.action("exception", exec, &[], "", line)?,
            WastDirective::AssertSuspension { .. } | WastDirective::Thread(_) | WastDirective::Wait { .. } => {
                bail!("the harness does not know this directive")
            }
        }
        Ok(())
    }

    /// Adds the command that makes the next instance, and keeps a place for its wrapper.
    fn instantiate(&mut self, mut command: Value, bytes: &[u8], name: Option<Id<'a>>) {
        let number = self.instances.len();
        command["instance"] = number.into();
        self.commands.push(command);
        let wrapper_command = self.commands.len();
        self.commands.push(Value::Null);
        self.instance_names.extend(name.map(|id| (id.name(), number)));
        let exports = Exports::of(bytes);
        self.instances.push(Instance { exports, wrapper: Wrapper::default(), wrapper_command });
    }

    fn instance(&self, id: Option<Id<'a>>) -> Result<usize> {
        match id {
            Some(id) => self.instance_names.get(id.name()).copied().context("no such instance"),
            None => self.instances.len().checked_sub(1).context("no instance"),
        }
    }

    /// `assert_malformed` and `assert_invalid`. Text that is malformed never reaches an engine.
    fn refused(&mut self, mut module: QuoteWat<'a>, malformed: bool, line: usize) -> Result<()> {
        if malformed && matches!(module, QuoteWat::QuoteModule(..)) {
            self.textual += 1;
        } else {
            let module = hex(&module.encode()?);
            self.commands.push(json!({"op": "refused", "line": line, "module": module}));
        }
        Ok(())
    }

    fn action(
        &mut self,
        op: &str,
        exec: WastExecute<'a>,
        results: &[WastRetCore<'a>],
        message: &str,
        line: usize,
    ) -> Result<()> {
        let mut command = json!({"op": op, "line": line, "message": message});
        let expected = results.iter().map(pattern).collect::<Result<Vec<_>>>();
        let wrapped = match exec {
            WastExecute::Wat(mut module) => {
                command["action"] = json!({"module": hex(&module.encode()?)});
                None
            }
            WastExecute::Get { module, global, .. } => {
                let at = self.instance(module)?;
                command["action"] = json!({"instance": at, "global": global});
                let Instance { exports, wrapper, .. } = &mut self.instances[at];
                wrapper.global(exports, global, results)?.map(|name| (at, name))
            }
            WastExecute::Invoke(WastInvoke { module, name, args, .. }) => {
                let at = self.instance(module)?;
                let args = args.into_iter().map(core_argument).collect::<Result<Vec<_>>>()?;
                let Instance { exports, wrapper, .. } = &mut self.instances[at];
                let wrapped = wrapper.call(exports, name, &args, (op == "return").then_some(results))?;
                if wrapped.is_none() {
                    let args = args.iter().map(argument).collect::<Result<Vec<_>>>()?;
                    command["action"] = json!({"instance": at, "function": name, "args": args});
                }
                wrapped.map(|name| (at, name))
            }
        };
        if let Some((at, name)) = wrapped {
            let place = self.instances[at].wrapper_command;
            self.commands[place] = json!({"op": "wrap", "line": line, "instance": at});
            command["action"] = json!({"wrapper": at, "function": name, "args": []});
            // The wrapper compares, and says which result is not as expected; 0 means none.
            command["expected"] = json!([["i32", 0]]);
        } else {
            command["expected"] = expected?.into();
        }
        self.commands.push(command);
        Ok(())
    }

    fn finish(mut self) -> Result<Script> {
        for instance in self.instances {
            let command = &mut self.commands[instance.wrapper_command];
            if !command.is_null() {
                command["module"] = hex(&instance.wrapper.finish()?).into();
            }
        }
        self.commands.retain(|command| !command.is_null());
        Ok(Script { commands: self.commands, textual: self.textual })
    }
}

fn core_argument(argument: WastArg<'_>) -> Result<WastArgCore<'_>> {
    match argument {
        WastArg::Core(argument) => Ok(argument),
        _ => bail!("an argument of a component"),
    }
}

fn core_result(result: WastRet<'_>) -> Result<WastRetCore<'_>> {
    match result {
        WastRet::Core(result) => Ok(result),
        _ => bail!("a result of a component"),
    }
}

/// An argument for the driver: floats by their bits, 64 bits as text.
fn argument(argument: &WastArgCore<'_>) -> Result<Value> {
    Ok(match argument {
        WastArgCore::I32(value) => json!(["i32", value]),
        WastArgCore::I64(value) => json!(["i64", value.to_string()]),
        WastArgCore::F32(value) => json!(["f32", value.bits]),
        WastArgCore::F64(value) => json!(["f64", value.bits.to_string()]),
        WastArgCore::RefNull(_) => json!(["ref.null"]),
        // Both are a value of the host's, known by its number.
        WastArgCore::RefExtern(number) | WastArgCore::RefHost(number) => json!(["ref.host", number]),
        WastArgCore::V128(_) => bail!("a vector cannot be given by JavaScript"),
    })
}

/// What a result must be, for the driver.
fn pattern(result: &WastRetCore<'_>) -> Result<Value> {
    Ok(match result {
        WastRetCore::I32(value) => json!(["i32", value]),
        WastRetCore::I64(value) => json!(["i64", value.to_string()]),
        WastRetCore::F32(NanPattern::Value(value)) => json!(["f32", value.bits]),
        WastRetCore::F64(NanPattern::Value(value)) => json!(["f64", value.bits.to_string()]),
        WastRetCore::F32(_) | WastRetCore::F64(_) | WastRetCore::V128(_) => {
            bail!("a vector or a kind of NaN cannot be seen by JavaScript")
        }
        WastRetCore::RefNull(_) => json!(["ref.null"]),
        WastRetCore::RefExtern(Some(number)) | WastRetCore::RefHost(number) => json!(["ref.host", number]),
        WastRetCore::RefExtern(None) => json!(["ref.extern"]),
        WastRetCore::RefFunc(_) => json!(["ref.func"]),
        WastRetCore::RefAny => json!(["ref.any"]),
        WastRetCore::RefEq => json!(["ref.eq"]),
        WastRetCore::RefArray => json!(["ref.array"]),
        WastRetCore::RefStruct => json!(["ref.struct"]),
        WastRetCore::RefI31 | WastRetCore::RefI31Shared => json!(["ref.i31"]),
        WastRetCore::Either(cases) => json!(["either", cases.iter().map(pattern).collect::<Result<Vec<_>>>()?]),
    })
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
