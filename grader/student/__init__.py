"""What a student's own check looks at before handing in, and the one file it goes by."""
