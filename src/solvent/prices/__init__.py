"""Price files: tables of text, CSV or Parquet, whose cells become exact integers.

    files            a file of either kind as a table
    table            its columns, and its errors with their line
    plain_cells      a whole column of such cells at once, where all of them are plain
    cells            how one cell becomes a price or a time
    csv_files        CSV, plain or compressed, over the standard library
    parquet_files    Parquet, through an optional library

Runs and feeds read their prices here; what the columns mean together is theirs to say.
"""
