"""Every parser of what strangers write, fed with odd input: it neither raises nor hangs."""
