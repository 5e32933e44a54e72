"""One file for each page. Not named pages/: Streamlit takes a folder of that name for its older kind of navigation."""
