// SPDX-License-Identifier: Apache-2.0
//! wasi:keyvalue store, atomics and batch, 0.2.0-draft and 0.2.0-draft2: lifted, bounded, and handed to C++ one operation at a time.
//!
//! The drafts differ in the cursor of `list-keys` (u64 or string), in the sign of `increment`, and in compare-and-swap, which only
//! draft2 has.

mod cas;
mod operation;

pub use operation::{Completion, StoreSink};

use crate::c_types::KeyValueOp;
use crate::instance::Host;
use crate::wasi::RESOURCES_MAX;
use operation::{Operation, Reply, StoreError, broken};
use wasmtime::component::{ComponentType, Lift, Linker, LinkerInstance, Lower, Resource, ResourceTable, ResourceType};

const DRAFT: &str = "0.2.0-draft";
const DRAFT2: &str = "0.2.0-draft2";

/// What a guest holds of key-value stores; made when it first opens one.
pub struct KeyValue {
    table: ResourceTable,
    /// Of the values that compare-and-swap handles remember.
    cas_bytes: usize,
}

impl KeyValue {
    fn new() -> KeyValue {
        let mut table = ResourceTable::new();
        table.set_max_capacity(RESOURCES_MAX);
        KeyValue { table, cas_bytes: 0 }
    }
}

/// A guest's handle: the number that C++ gave.
pub struct Bucket {
    number: u64,
}

/// What a host function ends in, other than its result: an error that the guest sees, or a trap.
enum Failure {
    Store(StoreError),
    Trap(wasmtime::Error),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        Failure::Store(error)
    }
}

impl From<wasmtime::component::ResourceTableError> for Failure {
    fn from(error: wasmtime::component::ResourceTableError) -> Failure {
        Failure::Trap(error.into())
    }
}

type Outcome<T> = Result<T, Failure>;

/// As the canonical ABI wants it: the result of the WIT, or a trap.
fn split<T>(outcome: Outcome<T>) -> wasmtime::Result<(Result<T, StoreError>,)> {
    match outcome {
        Ok(value) => Ok((Ok(value),)),
        Err(Failure::Store(error)) => Ok((Err(error),)),
        Err(Failure::Trap(trap)) => Err(trap),
    }
}

impl Host {
    fn key_value(&mut self) -> &mut KeyValue {
        self.key_value.get_or_insert_with(|| Box::new(KeyValue::new()))
    }

    fn bucket(&mut self, handle: &Resource<Bucket>) -> Outcome<u64> {
        Ok(self.key_value().table.get(handle)?.number)
    }

    /// Puts a new handle into the table; a guest that holds too many is told so.
    fn hold<T: Send + 'static>(&mut self, resource: T) -> Outcome<Resource<T>> {
        self.key_value()
            .table
            .push(resource)
            .map_err(|_| StoreError::Other(format!("more than {RESOURCES_MAX} handles are open")).into())
    }

    async fn run(&mut self, operation: Operation<'_>) -> Outcome<Reply> {
        let pending = self.shared.store.begin(&operation)?;
        Ok(pending.await?)
    }
}

/// The place in a listing, as a draft types it.
trait Cursor: ComponentType + Lift + Lower + Send + Sync + Sized + 'static {
    fn to_text(&self) -> String;
    fn from_text(text: String) -> Result<Self, StoreError>;
}

impl Cursor for u64 {
    fn to_text(&self) -> String {
        self.to_string()
    }

    fn from_text(text: String) -> Result<u64, StoreError> {
        text.parse().map_err(|_| broken("a cursor that is no number"))
    }
}

impl Cursor for String {
    fn to_text(&self) -> String {
        self.clone()
    }

    fn from_text(text: String) -> Result<String, StoreError> {
        Ok(text)
    }
}

#[derive(ComponentType, Lower)]
#[component(record)]
struct KeyResponse<C> {
    keys: Vec<String>,
    cursor: Option<C>,
}

pub fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    link_store::<u64>(linker.instance(&name("store", DRAFT))?)?;
    link_store::<String>(linker.instance(&name("store", DRAFT2))?)?;
    link_batch(linker.instance(&name("batch", DRAFT))?)?;
    link_batch(linker.instance(&name("batch", DRAFT2))?)?;
    linker.instance(&name("atomics", DRAFT))?.func_wrap_async(
        "increment",
        |mut store, (bucket, key, delta): (Resource<Bucket>, String, u64)| {
            Box::new(async move { split(increment_unsigned(store.data_mut(), bucket, key, delta).await) })
        },
    )?;
    let mut atomics = linker.instance(&name("atomics", DRAFT2))?;
    atomics.func_wrap_async("increment", |mut store, (bucket, key, delta): (Resource<Bucket>, String, i64)| {
        Box::new(async move { split(increment(store.data_mut(), bucket, key, delta).await) })
    })?;
    cas::link(&mut atomics)
}

fn name(interface: &str, version: &str) -> String {
    format!("wasi:keyvalue/{interface}@{version}")
}

fn link_store<C: Cursor>(mut interface: LinkerInstance<'_, Host>) -> wasmtime::Result<()> {
    interface.resource("bucket", ResourceType::host::<Bucket>(), |mut store, handle| {
        store.data_mut().key_value().table.delete(Resource::<Bucket>::new_own(handle))?;
        Ok(())
    })?;
    interface.func_wrap_async("open", |mut store, (identifier,): (String,)| {
        Box::new(async move { split(open(store.data_mut(), identifier).await) })
    })?;
    interface.func_wrap_async("[method]bucket.get", |mut store, (bucket, key): (Resource<Bucket>, String)| {
        Box::new(async move { split(get(store.data_mut(), bucket, key).await) })
    })?;
    interface.func_wrap_async("[method]bucket.set", |mut store, (bucket, key, value): (Resource<Bucket>, String, Vec<u8>)| {
        Box::new(async move { split(set(store.data_mut(), bucket, key, value).await) })
    })?;
    interface.func_wrap_async("[method]bucket.delete", |mut store, (bucket, key): (Resource<Bucket>, String)| {
        Box::new(async move { split(delete(store.data_mut(), bucket, key).await) })
    })?;
    interface.func_wrap_async("[method]bucket.exists", |mut store, (bucket, key): (Resource<Bucket>, String)| {
        Box::new(async move { split(exists(store.data_mut(), bucket, key).await) })
    })?;
    interface.func_wrap_async("[method]bucket.list-keys", |mut store, (bucket, cursor): (Resource<Bucket>, Option<C>)| {
        Box::new(async move { split(list_keys(store.data_mut(), bucket, cursor).await) })
    })
}

fn link_batch(mut interface: LinkerInstance<'_, Host>) -> wasmtime::Result<()> {
    interface.func_wrap_async("get-many", |mut store, (bucket, keys): (Resource<Bucket>, Vec<String>)| {
        Box::new(async move { split(get_many(store.data_mut(), bucket, keys).await) })
    })?;
    interface.func_wrap_async("set-many", |mut store, (bucket, pairs): (Resource<Bucket>, Vec<(String, Vec<u8>)>)| {
        Box::new(async move { split(set_many(store.data_mut(), bucket, pairs).await) })
    })?;
    interface.func_wrap_async("delete-many", |mut store, (bucket, keys): (Resource<Bucket>, Vec<String>)| {
        Box::new(async move { split(delete_many(store.data_mut(), bucket, keys).await) })
    })
}

async fn open(host: &mut Host, identifier: String) -> Outcome<Resource<Bucket>> {
    let reply = host.run(Operation { identifier: &identifier, ..Operation::new(KeyValueOp::Open, 0) }).await?;
    let Reply::Number(number) = reply else { return Err(broken("no bucket").into()) };
    host.hold(Bucket { number: number.cast_unsigned() })
}

async fn get(host: &mut Host, bucket: Resource<Bucket>, key: String) -> Outcome<Option<Vec<u8>>> {
    let bucket = host.bucket(&bucket)?;
    read_key(host, bucket, &key).await
}

async fn read_key(host: &mut Host, bucket: u64, key: &str) -> Outcome<Option<Vec<u8>>> {
    let reply = host.run(Operation { keys: &[key], ..Operation::new(KeyValueOp::Get, bucket) }).await?;
    let Reply::Values(mut values) = reply else { return Err(broken("no value").into()) };
    Ok(values.pop().flatten())
}

async fn set(host: &mut Host, bucket: Resource<Bucket>, key: String, value: Vec<u8>) -> Outcome<()> {
    let bucket = host.bucket(&bucket)?;
    host.run(Operation { keys: &[&key], values: &[&value], ..Operation::new(KeyValueOp::Set, bucket) }).await?;
    Ok(())
}

async fn delete(host: &mut Host, bucket: Resource<Bucket>, key: String) -> Outcome<()> {
    let bucket = host.bucket(&bucket)?;
    host.run(Operation { keys: &[&key], ..Operation::new(KeyValueOp::Delete, bucket) }).await?;
    Ok(())
}

async fn exists(host: &mut Host, bucket: Resource<Bucket>, key: String) -> Outcome<bool> {
    let bucket = host.bucket(&bucket)?;
    let reply = host.run(Operation { keys: &[&key], ..Operation::new(KeyValueOp::Exists, bucket) }).await?;
    let Reply::Yes(yes) = reply else { return Err(broken("no yes or no").into()) };
    Ok(yes)
}

async fn list_keys<C: Cursor>(host: &mut Host, bucket: Resource<Bucket>, cursor: Option<C>) -> Outcome<KeyResponse<C>> {
    let bucket = host.bucket(&bucket)?;
    let cursor = cursor.map(|cursor| cursor.to_text());
    let reply = host.run(Operation { cursor: cursor.as_deref(), ..Operation::new(KeyValueOp::ListKeys, bucket) }).await?;
    let Reply::Keys(keys, cursor) = reply else { return Err(broken("no keys").into()) };
    Ok(KeyResponse { keys, cursor: cursor.map(C::from_text).transpose()? })
}

async fn increment(host: &mut Host, bucket: Resource<Bucket>, key: String, delta: i64) -> Outcome<i64> {
    let bucket = host.bucket(&bucket)?;
    let reply = host.run(Operation { keys: &[&key], delta, ..Operation::new(KeyValueOp::Increment, bucket) }).await?;
    let Reply::Number(number) = reply else { return Err(broken("no number").into()) };
    Ok(number)
}

/// The first draft counts without a sign; stores count with one.
async fn increment_unsigned(host: &mut Host, bucket: Resource<Bucket>, key: String, delta: u64) -> Outcome<u64> {
    let delta = i64::try_from(delta).map_err(|_| StoreError::other("the delta is larger than 2^63 - 1"))?;
    let number = increment(host, bucket, key, delta).await?;
    u64::try_from(number).map_err(|_| StoreError::Other(format!("the counter is {number}, which this draft cannot tell")).into())
}

async fn get_many(host: &mut Host, bucket: Resource<Bucket>, keys: Vec<String>) -> Outcome<Vec<Option<(String, Vec<u8>)>>> {
    let bucket = host.bucket(&bucket)?;
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let borrowed: Vec<&str> = keys.iter().map(String::as_str).collect();
    let reply = host.run(Operation { keys: &borrowed, ..Operation::new(KeyValueOp::GetMany, bucket) }).await?;
    let Reply::Values(values) = reply else { return Err(broken("no values").into()) };
    Ok(keys.into_iter().zip(values).map(|(key, value)| value.map(|value| (key, value))).collect())
}

async fn set_many(host: &mut Host, bucket: Resource<Bucket>, pairs: Vec<(String, Vec<u8>)>) -> Outcome<()> {
    let bucket = host.bucket(&bucket)?;
    if pairs.is_empty() {
        return Ok(());
    }
    let keys: Vec<&str> = pairs.iter().map(|(key, _)| key.as_str()).collect();
    let values: Vec<&[u8]> = pairs.iter().map(|(_, value)| value.as_slice()).collect();
    host.run(Operation { keys: &keys, values: &values, ..Operation::new(KeyValueOp::SetMany, bucket) }).await?;
    Ok(())
}

async fn delete_many(host: &mut Host, bucket: Resource<Bucket>, keys: Vec<String>) -> Outcome<()> {
    let bucket = host.bucket(&bucket)?;
    if keys.is_empty() {
        return Ok(());
    }
    let borrowed: Vec<&str> = keys.iter().map(String::as_str).collect();
    host.run(Operation { keys: &borrowed, ..Operation::new(KeyValueOp::DeleteMany, bucket) }).await?;
    Ok(())
}
