//! An `object_store` in memory that lies about writes.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Mutex;

use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

/// What goes wrong with a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PutFault {
    /// It takes effect and an error is told.
    AppliedButError,
    /// It takes effect, an error is told, and the next read of the object fails as well.
    AppliedButUnreadable,
    /// It takes no effect and an error is told.
    NothingStored,
    /// It takes no effect and "already exists" is told.
    SaysAlreadyThere,
}

impl PutFault {
    pub(crate) const ALL: [Self; 4] =
        [Self::AppliedButError, Self::AppliedButUnreadable, Self::NothingStored, Self::SaysAlreadyThere];
}

#[derive(Debug)]
pub(crate) struct Faulty {
    inner: InMemory,
    fault: PutFault,
    always: bool,
    struck: Mutex<BTreeSet<Path>>,
    unreadable: Mutex<BTreeSet<Path>>,
}

impl Faulty {
    /// The first write of every object meets the fault.
    pub(crate) fn once(fault: PutFault) -> Self {
        let (inner, struck, unreadable) = (InMemory::new(), Mutex::default(), Mutex::default());
        Self { inner, fault, always: false, struck, unreadable }
    }

    /// Every write meets the fault.
    pub(crate) fn always(fault: PutFault) -> Self {
        Self { always: true, ..Self::once(fault) }
    }
}

impl fmt::Display for Faulty {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Faulty({:?})", self.fault)
    }
}

fn broken() -> Error {
    Error::Generic { store: "faulty", source: "the connection broke".into() }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        let is_first = self.struck.lock().unwrap().insert(location.clone());
        if !is_first && !self.always {
            return self.inner.put_opts(location, payload, opts).await;
        }
        match self.fault {
            PutFault::AppliedButError => {
                self.inner.put_opts(location, payload, opts).await?;
                Err(broken())
            }
            PutFault::AppliedButUnreadable => {
                self.inner.put_opts(location, payload, opts).await?;
                self.unreadable.lock().unwrap().insert(location.clone());
                Err(broken())
            }
            PutFault::NothingStored => Err(broken()),
            PutFault::SaysAlreadyThere => {
                Err(Error::AlreadyExists { path: location.to_string(), source: "so they say".into() })
            }
        }
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, opts).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        if self.unreadable.lock().unwrap().remove(location) {
            return Err(broken());
        }
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
