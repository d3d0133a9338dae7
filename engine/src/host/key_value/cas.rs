// SPDX-License-Identifier: Apache-2.0
//! Compare-and-swap of draft2: a handle remembers the value it saw, `swap` replaces exactly that one.

use super::operation::{Operation, Reply, StoreError, broken};
use super::{Bucket, Failure, Outcome, read_key, split};
use crate::c_types::KeyValueOp;
use crate::instance::Host;
use wasmtime::component::{ComponentType, LinkerInstance, Lower, Resource, ResourceTableError, ResourceType};

/// Of all values that the handles of one instance remember: they are host memory, which the guest's budget does not count.
const REMEMBERED_BYTES_MAX: usize = 4 << 20;

/// What was read when the handle was made; `None` when the key was not there.
pub struct Cas {
    bucket: u64,
    key: String,
    seen: Option<Vec<u8>>,
}

impl Cas {
    fn bytes(&self) -> usize {
        self.seen.as_ref().map_or(0, Vec::len)
    }
}

#[derive(ComponentType, Lower)]
#[component(variant)]
enum CasError {
    #[component(name = "store-error")]
    Store(StoreError),
    /// A new handle, which has seen the value that was in the way.
    #[component(name = "cas-failed")]
    Failed(Resource<Cas>),
}

pub fn link(interface: &mut LinkerInstance<'_, Host>) -> wasmtime::Result<()> {
    interface.resource("cas", ResourceType::host::<Cas>(), |mut store, handle| {
        forget(store.data_mut(), Resource::new_own(handle))?;
        Ok(())
    })?;
    interface.func_wrap_async("[static]cas.new", |mut store, (bucket, key): (Resource<Bucket>, String)| {
        Box::new(async move {
            let host = store.data_mut();
            let made = match host.bucket(&bucket) {
                Ok(bucket) => remember(host, bucket, key).await,
                Err(failure) => Err(failure),
            };
            split(made)
        })
    })?;
    interface.func_wrap("[method]cas.current", |mut store, (cas,): (Resource<Cas>,)| {
        let seen = store.data_mut().key_value().table.get(&cas)?.seen.clone();
        Ok((Ok::<_, StoreError>(seen),))
    })?;
    interface.func_wrap_async("swap", |mut store, (cas, value): (Resource<Cas>, Vec<u8>)| {
        Box::new(async move {
            let swapped = match swap(store.data_mut(), cas, value).await {
                Ok(None) => Ok(()),
                Ok(Some(retry)) => Err(CasError::Failed(retry)),
                Err(Failure::Store(error)) => Err(CasError::Store(error)),
                Err(Failure::Trap(trap)) => return Err(trap),
            };
            Ok((swapped,))
        })
    })
}

/// Reads the key and makes a handle of it.
async fn remember(host: &mut Host, bucket: u64, key: String) -> Outcome<Resource<Cas>> {
    let seen = read_key(host, bucket, &key).await?;
    let cas = Cas { bucket, key, seen };
    let bytes = host.key_value().cas_bytes + cas.bytes();
    if bytes > REMEMBERED_BYTES_MAX {
        let text = format!("the open compare-and-swap handles hold {bytes} bytes, the limit is {REMEMBERED_BYTES_MAX}");
        return Err(StoreError::Other(text).into());
    }
    let handle = host.hold(cas)?;
    host.key_value().cas_bytes = bytes;
    Ok(handle)
}

fn forget(host: &mut Host, handle: Resource<Cas>) -> Result<Cas, ResourceTableError> {
    let state = host.key_value();
    let cas = state.table.delete(handle)?;
    state.cas_bytes -= cas.bytes();
    Ok(cas)
}

/// Nothing when it was swapped, else a handle for the next try.
async fn swap(host: &mut Host, handle: Resource<Cas>, value: Vec<u8>) -> Outcome<Option<Resource<Cas>>> {
    let cas = forget(host, handle)?;
    let operation = Operation {
        keys: &[&cas.key],
        values: &[&value],
        expected: cas.seen.as_deref(),
        ..Operation::new(KeyValueOp::CompareAndSwap, cas.bucket)
    };
    match host.run(operation).await? {
        Reply::Yes(true) => Ok(None),
        Reply::Yes(false) => remember(host, cas.bucket, cas.key).await.map(Some),
        _ => Err(broken("no yes or no").into()),
    }
}
