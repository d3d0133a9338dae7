// SPDX-License-Identifier: Apache-2.0
//! One store and the call in it: a future that C++ polls on its loop.
//!
//! The future owns the store while it runs and gives it back with the result, so nothing here refers to itself: dropping the future
//! unwinds the guest's fiber and frees the store.

use crate::abi;
use crate::abi::action::{Action, ActionView};
use crate::abi::{Exports, router_middleware, vllm_middleware};
use crate::budget::{Budget, Meter};
use crate::c_types;
use crate::c_types::Poll as PollCode;
use crate::direct;
use crate::direct::call::{Arguments, Shape};
use crate::error::{Error, ErrorKind, Result};
use crate::host::config::Config;
use crate::host::key_value::{KeyValue, StoreSink};
use crate::limiter::Limiter;
use crate::log_stream::LogSink;
use crate::module::Module;
use crate::waker::WakeState;
use crate::wasi::Wasi;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use wasmtime::component::{ComponentExportIndex, ComponentNamedList, Instance as ComponentInstance, Lift, Lower};
use wasmtime::{ModuleExport, Store, UpdateDeadline};

/// What one call may lift beyond its output budget: the lists and strings around a body of the largest size.
const LIFT_HEADROOM_BYTES: u64 = 1 << 20;

/// What an instance, its store and its wakers share. The waker is this very object, so an instance costs one such allocation.
pub struct Shared {
    pub meter: Meter,
    pub wake: WakeState,
    pub log: LogSink,
    pub store: StoreSink,
}

impl Wake for Shared {
    fn wake(self: Arc<Self>) {
        self.wake.wake();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wake.wake();
    }
}

/// The data of a store.
pub struct Host {
    pub shared: Arc<Shared>,
    limiter: Limiter,
    pub wasi: Option<Box<Wasi>>,
    pub key_value: Option<Box<KeyValue>>,
    /// The module's configuration, when it is granted.
    pub config: Option<Arc<Config>>,
    /// The call, when it goes the short way.
    pub direct: direct::call::State,
}

/// A store, and the component in it once the first call has made it.
pub struct Guest {
    pub store: Store<Host>,
    instance: Option<ComponentInstance>,
    direct: Option<direct::Running>,
}

impl Guest {
    fn new(module: &Module, shared: &Arc<Shared>) -> Guest {
        let host = Host {
            shared: shared.clone(),
            limiter: Limiter::new(shared.clone()),
            wasi: None,
            key_value: None,
            config: module.config.clone(),
            direct: direct::call::State::default(),
        };
        let mut store = Store::new(module.engine.wasmtime(), host);
        store.limiter(|host| &mut host.limiter);
        store.epoch_deadline_callback(|store| {
            store.data().shared.meter.tick()?;
            Ok(UpdateDeadline::Yield(1))
        });
        store.set_hostcall_fuel(lift_bytes_max(shared.meter.budget()));
        Guest { store, instance: None, direct: None }
    }

    /// The component's instance; made within the first call, because start functions are guest code under the call's budget.
    pub async fn instantiate(&mut self, module: &Module) -> wasmtime::Result<ComponentInstance> {
        self.store.set_epoch_deadline(1);
        if let Some(instance) = self.instance {
            return Ok(instance);
        }
        let instance = module.pre.instantiate_async(&mut self.store).await?;
        self.instance = Some(instance);
        Ok(instance)
    }

    /// A call of a hook by its driver; the arguments are in the store. The instance is made first if there is none.
    async fn call_directly(&mut self, module: &direct::Module, hook: &ModuleExport, shape: Shape) -> wasmtime::Result<Action> {
        self.store.set_epoch_deadline(1);
        let mut running = match self.direct {
            Some(running) => running,
            None => direct::Running::new(module, &mut self.store).await?,
        };
        let fuel = lift_bytes_max(self.store.data().shared.meter.budget());
        self.store.data_mut().direct.begin(running.memory, shape, fuel);
        let (driver, stale) = running.driver(&mut self.store, hook)?;
        self.direct = Some(running);
        driver.call_async(&mut self.store, stale).await?;
        self.store.data_mut().direct.end().ok_or_else(|| wasmtime::format_err!("the driver returned no action"))
    }
}

fn lift_bytes_max(budget: &Budget) -> usize {
    usize::try_from(budget.output_bytes.saturating_add(LIFT_HEADROOM_BYTES)).unwrap_or(usize::MAX)
}

type Call = Pin<Box<dyn Future<Output = wasmtime::Result<(Guest, Action)>> + Send>>;

enum State {
    Idle(Guest),
    Running(Call),
    /// Failed: nothing may run in this store again.
    Spent,
}

pub struct Instance {
    state: State,
    action: Option<ActionView>,
    waker: Waker,
    shared: Arc<Shared>,
    module: Arc<Module>,
}

/// What a poll comes to; the error is there exactly when it failed.
pub struct PollResult {
    pub code: PollCode,
    pub error: Option<Error>,
}

impl Instance {
    pub fn new(module: &Arc<Module>, budget: Budget, token: u64, user: *mut c_void) -> Instance {
        let (wake, wake_user) = module.engine.wake();
        let shared = Arc::new(Shared {
            meter: Meter::new(budget),
            wake: WakeState::new(wake, wake_user, token),
            log: LogSink::new(module.engine.log(), user),
            store: StoreSink::new(module.engine.key_value(), user),
        });
        Instance {
            state: State::Idle(Guest::new(module, &shared)),
            action: None,
            waker: Waker::from(shared.clone()),
            shared,
            module: module.clone(),
        }
    }

    /// # Safety
    /// The record and what it points to must stay as they are until the call has ended or the instance is dropped.
    pub unsafe fn start_on_request(&mut self, request: &c_types::Request) -> Result<()> {
        let module = self.module.clone();
        if let Some((direct, (hook, shape))) = module.direct.as_ref().and_then(|direct| Some((direct, direct.on_request()?))) {
            // SAFETY: promised by the caller.
            return self.start_directly(direct, *hook, *shape, |arguments| unsafe {
                match shape {
                    Shape::VllmRequest => vllm_middleware::request_arguments(request, arguments),
                    _ => router_middleware::request_arguments(request, arguments),
                }
            });
        }
        // SAFETY: promised by the caller.
        match &module.exports {
            Exports::Router(router) => {
                let export = router.on_request()?;
                let request = unsafe { router_middleware::borrow_request(request)? };
                self.start::<_, router_middleware::RouterAction>(export, (request,))
            }
            Exports::Vllm(handle) => {
                let request = unsafe { vllm_middleware::borrow_request(request)? };
                self.start::<_, vllm_middleware::VllmAction>(*handle, (request,))
            }
        }
    }

    /// # Safety
    /// As for [`Instance::start_on_request`].
    pub unsafe fn start_on_response(&mut self, response: &c_types::Response) -> Result<()> {
        let module = self.module.clone();
        if let Some((direct, (hook, shape))) = module.direct.as_ref().and_then(|direct| Some((direct, direct.on_response()?))) {
            // SAFETY: promised by the caller.
            return self.start_directly(direct, *hook, *shape, |arguments| unsafe {
                router_middleware::response_arguments(response, arguments)
            });
        }
        match &module.exports {
            Exports::Router(router) => {
                let export = router.on_response()?;
                // SAFETY: promised by the caller.
                let response = unsafe { router_middleware::borrow_response(response)? };
                self.start::<_, router_middleware::RouterAction>(export, (response,))
            }
            Exports::Vllm(_) => Err(router_middleware::missing(&router_middleware::ON_RESPONSE)),
        }
    }

    fn start<Params, Return>(&mut self, export: ComponentExportIndex, params: Params) -> Result<()>
    where
        Params: ComponentNamedList + Lower + Send + Sync + 'static,
        Return: Lift + Into<Action> + Send + Sync + 'static,
    {
        let mut guest = self.begin_call()?;
        let module = self.module.clone();
        self.state = State::Running(Box::pin(async move {
            let action: Return = abi::call(&module, &mut guest, &export, params).await?;
            Ok((guest, action.into()))
        }));
        Ok(())
    }

    fn start_directly(
        &mut self,
        direct: &Arc<direct::Module>,
        hook: ModuleExport,
        shape: Shape,
        borrow: impl FnOnce(&mut Arguments) -> Result<()>,
    ) -> Result<()> {
        let mut guest = self.begin_call()?;
        let arguments = &mut guest.store.data_mut().direct.arguments;
        arguments.clear();
        if let Err(error) = borrow(arguments) {
            self.state = State::Idle(guest);
            return Err(error);
        }
        let direct = direct.clone();
        self.state = State::Running(Box::pin(async move {
            let action = guest.call_directly(&direct, &hook, shape).await?;
            Ok((guest, action))
        }));
        Ok(())
    }

    /// Puts the guest back to what it was before its first call. False when its module, its memory or the kernel does not allow it; then
    /// only dropping the instance makes it forget.
    pub fn restore(&mut self) -> bool {
        let (State::Idle(guest), Some(direct)) = (&mut self.state, &self.module.direct) else { return false };
        let Some(running) = &mut guest.direct else { return false };
        let restored = running.restore(direct, &mut guest.store);
        if restored {
            self.action = None;
            self.shared.meter.forget_peak();
        }
        restored
    }

    fn begin_call(&mut self) -> Result<Guest> {
        match std::mem::replace(&mut self.state, State::Spent) {
            State::Idle(guest) => {
                self.action = None;
                self.shared.meter.begin_call();
                Ok(guest)
            }
            State::Running(call) => {
                self.state = State::Running(call);
                Err(Error::internal("a call is in the instance already"))
            }
            State::Spent => Err(Error::internal("the instance failed before and cannot be used again")),
        }
    }

    pub fn poll(&mut self) -> PollResult {
        let State::Running(call) = &mut self.state else {
            return failed(Error::internal("no call is in the instance"));
        };
        let _entered = self.module.runtime.as_ref().map(|runtime| runtime.enter());
        if let Err(exhausted) = self.shared.meter.enter_poll() {
            return self.fail(Error::new(exhausted.kind(), exhausted.to_string()));
        }
        self.shared.wake.begin_poll();
        let mut context = Context::from_waker(&self.waker);
        let polled = catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(&mut context)));
        self.shared.meter.leave_poll();
        match polled {
            Ok(Poll::Pending) if self.shared.wake.end_poll_pending() => PollResult { code: PollCode::Waiting, error: None },
            Ok(Poll::Pending) => PollResult { code: PollCode::Yielded, error: None },
            Ok(Poll::Ready(Ok((guest, action)))) => {
                self.state = State::Idle(guest);
                self.action = Some(ActionView::new(action));
                self.end_call();
                PollResult { code: PollCode::Done, error: None }
            }
            Ok(Poll::Ready(Err(cause))) => {
                let error = Error::from_guest(&cause, &self.shared.meter);
                self.fail(error)
            }
            Err(_panic) => self.fail(Error::internal("the engine panicked")),
        }
    }

    fn fail(&mut self, error: Error) -> PollResult {
        self.discard();
        self.end_call();
        failed(error)
    }

    fn end_call(&self) {
        self.shared.wake.end_call();
        self.shared.log.end_call();
    }

    /// Unwinds what runs and frees the store. A panic in there must not get out.
    fn discard(&mut self) {
        let state = std::mem::replace(&mut self.state, State::Spent);
        let _ = catch_unwind(AssertUnwindSafe(|| drop(state)));
    }

    pub fn action(&self) -> Option<&ActionView> {
        self.action.as_ref()
    }

    pub fn memory_peak(&self) -> u64 {
        self.shared.meter.memory_peak()
    }

    pub fn busy_ns(&self) -> u64 {
        self.shared.meter.busy_ns()
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.shared.wake.end_call();
        let _entered = self.module.runtime.as_ref().map(|runtime| runtime.enter());
        let state = std::mem::replace(&mut self.state, State::Spent);
        let _ = catch_unwind(AssertUnwindSafe(|| drop(state)));
    }
}

fn failed(error: Error) -> PollResult {
    PollResult { code: PollCode::Failed, error: Some(error) }
}

/// The answer to a poll in whose callbacks the instance was dropped.
pub fn cancelled() -> Error {
    Error::new(ErrorKind::Cancelled, "the instance was dropped during the call")
}
