"""At which loads deadlines begin to be missed."""
