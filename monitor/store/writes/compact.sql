-- A copy holds only what is still there; removed text stays in the free blocks of the old file.
ATTACH '{old}' AS old;
ATTACH '{new}' AS new;
COPY FROM DATABASE old TO new;
DETACH new;
DETACH old;
