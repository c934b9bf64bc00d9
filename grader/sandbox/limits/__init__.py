"""What bounds memory, processes and processor time of a room, by whichever mechanism the machine has."""
