#pragma once
struct lconv;
