"""The pages. They read monitor.store.views and monitor.study, and hold neither SQL nor statistics."""
