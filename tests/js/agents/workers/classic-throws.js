throw new RangeError('of the imported script');
