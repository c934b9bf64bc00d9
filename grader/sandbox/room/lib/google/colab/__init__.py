"""A look-alike of Colab's own package: what notebooks call of it, without Colab behind it."""

from google.colab import auth, drive, files, output, patches, userdata

__all__ = ["auth", "drive", "files", "output", "patches", "userdata"]
