#pragma once
#define and &&
#define or ||
#define not !
