"""Who hands in together: people of one group whose copies lie apart, and where the copies disagree."""
