#ifndef CPLATFORM_H
#define CPLATFORM_H
#include "openat2.h"
#endif
