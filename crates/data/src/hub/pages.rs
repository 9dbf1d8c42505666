//! Pages of a Parquet column, of which no more is held than a data set needs.

use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};

/// The pages of a column until they hold too much: kilobytes can unpack to gigabytes, and values keep their pages.
pub(super) struct Bounded {
    pages: Box<dyn PageReader>,
    most: u64,
    held: u64,
}

impl Bounded {
    /// At most `most` bytes of unpacked pages.
    pub(super) fn new(pages: Box<dyn PageReader>, most: u64) -> Self {
        Self { pages, most, held: 0 }
    }

    fn counted(&mut self, page: Option<Page>) -> Result<Option<Page>> {
        self.held += page.as_ref().map_or(0, |page| page.buffer().len() as u64);
        match self.held > self.most {
            true => Err(ParquetError::General(format!("expected pages of at most {} bytes, found more", self.most))),
            false => Ok(page),
        }
    }
}

impl Iterator for Bounded {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Bounded {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.pages.get_next_page()?;
        self.counted(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.pages.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.pages.skip_next_page()
    }

    fn supports_deferred_dictionary(&self) -> bool {
        self.pages.supports_deferred_dictionary()
    }

    fn take_deferred_dictionary(&mut self) -> Result<Option<Page>> {
        let page = self.pages.take_deferred_dictionary()?;
        self.counted(page)
    }

    fn at_record_boundary(&mut self) -> Result<bool> {
        self.pages.at_record_boundary()
    }
}
